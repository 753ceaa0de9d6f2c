package dev.regen.agent.fleet;

import dev.regen.agent.api.Change;
import dev.regen.agent.api.ChangeLog;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Session;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What changes in the fleet, for those who follow: the newest in memory, those before in the
 * database, whichever manager has made them. Their places are the same at every manager, and stay
 * when one is started anew.
 */
final class FleetChanges implements ChangeLog {
  /** How many the database keeps. */
  static final int KEPT = 100_000;

  private static final int NEAR_MAX = 4_000;
  private static final long NEAR_CHARACTERS_MAX = 6 << 20;
  private static final Duration CATCH_UP_LIMIT = Duration.ofSeconds(2);
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final Readers readers;
  private final Deque<Entry> near = new ArrayDeque<>();
  private long characters;
  private long nearFrom;
  private long last;
  private boolean closed;

  /** One that somebody may follow. */
  record Entry(long seq, String kind, @Nullable String node, boolean wake, String data) {
    static Entry of(Session.Row row) throws SQLException {
      return new Entry(
          row.number("seq"),
          row.text("kind"),
          row.textOrNull("node"),
          row.number("wake") != 0,
          row.text("data"));
    }
  }

  /**
   * @param last the newest that there is
   */
  FleetChanges(Readers readers, long last) {
    this.readers = readers;
    this.last = last;
    this.nearFrom = last;
  }

  /** These have come, in order. */
  synchronized void come(List<Entry> entries) {
    for (Entry entry : entries) {
      near.addLast(entry);
      characters += entry.data().length();
      last = entry.seq();
    }
    while (near.size() > NEAR_MAX || (characters > NEAR_CHARACTERS_MAX && near.size() > 1)) {
      Entry gone = near.removeFirst();
      characters -= gone.data().length();
      nearFrom = gone.seq();
    }
    notifyAll();
  }

  synchronized long last() {
    return last;
  }

  @Override
  public Page after(@Nullable String text, int most) throws IOException, InterruptedException {
    if (text == null || !text.matches("[0-9]{1,18}")) {
      return reset();
    }
    long place = Long.parseLong(text);
    synchronized (this) {
      if (place > last) {
        // Of another manager, which has seen more; this one is about to.
        awaitLast(place);
      }
      if (place > last) {
        return reset();
      }
      if (place >= nearFrom) {
        return near(place, most);
      }
    }
    return readers.read(session -> {
      if (session.number("SELECT value FROM counters WHERE name = 'pruned'") > place) {
        return reset();
      }
      List<Entry> entries =
          session.all(
              Entry::of,
              "SELECT seq, kind, node, wake, data FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
              place,
              most);
      return page(entries, place);
    });
  }

  @Override
  public synchronized boolean await(String text, Duration limit) throws InterruptedException {
    long place = Long.parseLong(text);
    long deadline = System.nanoTime() + limit.toNanos();
    for (long left = limit.toMillis(); !closed && place >= last && left > 0; ) {
      wait(left);
      left = (deadline - System.nanoTime()) / NANOS_PER_MILLI;
    }
    return !closed;
  }

  private void awaitLast(long place) throws InterruptedException {
    long deadline = System.nanoTime() + CATCH_UP_LIMIT.toNanos();
    for (long left = CATCH_UP_LIMIT.toMillis(); !closed && last < place && left > 0; ) {
      wait(left);
      left = (deadline - System.nanoTime()) / NANOS_PER_MILLI;
    }
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }

  private Page near(long place, int most) {
    List<Entry> entries = new ArrayList<>();
    for (Entry entry : near) {
      if (entry.seq() > place) {
        if (entries.size() == most) {
          break;
        }
        entries.add(entry);
      }
    }
    return page(entries, place);
  }

  private Page reset() {
    return new Page(true, List.of(), String.valueOf(last()));
  }

  private static Page page(List<Entry> entries, long place) {
    return new Page(
        false,
        entries.stream()
            .map(entry -> new Change(String.valueOf(entry.seq()), entry.kind(), entry.data()))
            .toList(),
        String.valueOf(entries.isEmpty() ? place : entries.getLast().seq()));
  }
}
