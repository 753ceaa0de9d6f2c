package dev.regen.agent.jobs;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened, one JSON object a line in {@code events.jsonl}, the newest last.
 *
 * <p>At {@link #FILE_BYTES_MAX} the file becomes {@code events.jsonl.1} in place of the one before;
 * so at most twice that is kept. Events are not forced to the disk: a power cut may take the last
 * ones. Telling an event never fails; if it cannot be written, the log says so.
 */
public final class Events {
  public static final long FILE_BYTES_MAX = 4 << 20;
  private static final Logger LOG = LoggerFactory.getLogger(Events.class);

  private final JsonLines lines;
  private final InstantSource clock;
  private volatile Consumer<Event> listener = _ -> {};

  public Events(Disk disk, Path home, InstantSource clock) {
    this.lines = new JsonLines(disk, home, "events.jsonl", FILE_BYTES_MAX, false);
    this.clock = clock;
  }

  /** Tells {@code told}, which waits for nothing, of each event from now on. */
  public void listen(Consumer<Event> told) {
    listener = told;
  }

  /** Records an event and logs it. */
  public void tell(Event.Kind kind, @Nullable String queue, String message) {
    tell(kind.word(), queue, message);
  }

  /** Records an event of a kind that is not the agent's own, and logs it. */
  public synchronized void tell(String kind, @Nullable String queue, String message) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    Event event = new Event(0, now, kind, queue, message);
    LOG.info("{}{}: {}", event.kind(), queue == null ? "" : " " + queue, event.message());
    try {
      event = event.numbered(lines.append(event.line()));
    } catch (IOException e) {
      LOG.warn("the event could not be recorded: {}", e.getMessage());
    }
    listener.accept(event);
  }

  /**
   * The newest events, oldest of them first. Lines that cannot be read are left out.
   *
   * @param queue only this queue's, null for all
   * @param before only those with a lower number
   * @param limit the most that are returned
   */
  public List<Event> newest(@Nullable String queue, long before, int limit) throws IOException {
    List<Event> events = new ArrayList<>();
    for (JsonObject line : lines.newest(before, limit, json -> isOf(queue, json))) {
      events.add(Event.of(line));
    }
    return List.copyOf(events);
  }

  private static boolean isOf(@Nullable String queue, JsonObject json) {
    try {
      return queue == null || queue.equals(Event.of(json).queue());
    } catch (IOException e) {
      return false;
    }
  }
}
