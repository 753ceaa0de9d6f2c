package dev.regen.snapshot.registry;

import dev.regen.snapshot.remote.RemoteStore;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Who counts on chunks that no record names yet. A store whose deletions wait until nobody is left
 * who used it before (S3) would wait for ever for a process that goes on and on: so that process
 * counts on it anew from time to time, and on what was before only as long as somebody still does
 * who began then.
 */
final class Uses {
  private final RemoteStore store;

  /** How many began in which period and have not ended. */
  private final NavigableMap<Long, Integer> running = new TreeMap<>();

  /** The end of what was counted on in the period and before. */
  private final NavigableMap<Long, Closeable> ends = new TreeMap<>();

  private long period;

  /** Somebody who counts on what he stores, until he has written a record that names it. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  Uses(RemoteStore store) {
    this.store = store;
  }

  synchronized Use begin() {
    long begun = period;
    running.merge(begun, 1, Integer::sum);
    return () -> end(begun);
  }

  private synchronized void end(long begun) {
    running.computeIfPresent(begun, (_, count) -> count == 1 ? null : count - 1);
    notifyAll();
  }

  /** Returns when nobody counts on anything, or so much time has passed. */
  synchronized void awaitNone(Duration limit) {
    long until = System.nanoTime() + limit.toNanos();
    try {
      while (!running.isEmpty()) {
        long millis = (until - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
          return;
        }
        wait(millis);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Counts on the store anew, and no more on what nobody is left of. */
  void turn() throws IOException {
    Closeable before = store.turn();
    synchronized (this) {
      ends.put(period, before);
      period++;
    }
    while (true) {
      Closeable over;
      synchronized (this) {
        long oldest = running.isEmpty() ? period : running.firstKey();
        if (ends.isEmpty() || ends.firstKey() >= oldest) {
          return;
        }
        over = ends.pollFirstEntry().getValue();
      }
      over.close();
    }
  }
}
