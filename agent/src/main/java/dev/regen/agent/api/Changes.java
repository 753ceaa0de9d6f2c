package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The last {@link #KEPT_MAX} changes of this process, or fewer if they are long, in memory. Ids
 * name the process too, so that those of an earlier one are not taken for its own. Telling a change
 * waits for nobody. Safe for several threads.
 */
public final class Changes implements ChangeLog, AutoCloseable {
  public static final int KEPT_MAX = 10_000;
  private static final long CHARACTERS_MAX = 16 << 20;
  private static final Pattern PLACE = Pattern.compile("([0-9a-f]{8})-([0-9]{1,18})");
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final String epoch = UUID.randomUUID().toString().substring(0, 8);

  /** Change number n stands at n modulo the length. */
  private final @Nullable Change[] ring;

  /** How many of the newest are kept. */
  private int kept;

  private long characters;
  private long newest;
  private boolean closed;

  public Changes() {
    this(KEPT_MAX);
  }

  Changes(int keptMax) {
    ring = new @Nullable Change[keptMax];
  }

  /** Something has changed. */
  public void tell(String kind, JsonObject data) {
    String text = data.toString();
    synchronized (this) {
      while (kept == ring.length || (kept > 0 && characters + text.length() > CHARACTERS_MAX)) {
        int oldest = index(newest - kept + 1);
        characters -= at(oldest).data().length();
        ring[oldest] = null;
        kept--;
      }
      newest++;
      ring[index(newest)] = new Change(place(newest), kind, text);
      characters += text.length();
      kept++;
      notifyAll();
    }
  }

  @Override
  public synchronized Page after(@Nullable String place, int most) {
    long from = number(place);
    if (from < newest - kept || from > newest) {
      return new Page(true, List.of(), place(newest));
    }
    List<Change> next = new ArrayList<>();
    while (next.size() < most && from < newest) {
      next.add(at(index(++from)));
    }
    return new Page(false, next, place(from));
  }

  @Override
  public synchronized boolean await(String place, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    for (long left = limit.toMillis(); !closed && number(place) == newest && left > 0; ) {
      wait(left);
      left = (deadline - System.nanoTime()) / NANOS_PER_MILLI;
    }
    return !closed;
  }

  /** Sends those away who follow. */
  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  private Change at(int index) {
    return Objects.requireNonNull(ring[index]);
  }

  private int index(long number) {
    return (int) (number % ring.length);
  }

  /** -1 for a place that is not of this process. */
  private long number(@Nullable String place) {
    Matcher matcher = PLACE.matcher(place == null ? "" : place);
    return matcher.matches() && matcher.group(1).equals(epoch)
        ? Long.parseLong(matcher.group(2))
        : -1;
  }

  private String place(long number) {
    return epoch + "-" + number;
  }
}
