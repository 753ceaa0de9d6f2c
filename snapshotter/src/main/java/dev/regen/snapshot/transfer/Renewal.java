package dev.regen.snapshot.transfer;

import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Says now and then that an upload goes on: what is said of one that does not is removed. */
final class Renewal {
  /** Several times in the shortest grace period of a collection. */
  private static final long EVERY_NANOS = Duration.ofMinutes(3).toNanos();

  private final RemoteQueue remote;
  private final StoredSnapshot stored;
  private final InstantSource clock;
  private final AtomicLong lastNanos = new AtomicLong(System.nanoTime());

  Renewal(RemoteQueue remote, StoredSnapshot stored, InstantSource clock) {
    this.remote = remote;
    this.stored = stored;
    this.clock = clock;
  }

  /** Of several threads one does it. */
  void renewIfDue() {
    long last = lastNanos.get();
    long now = System.nanoTime();
    if (now - last > EVERY_NANOS && lastNanos.compareAndSet(last, now)) {
      try {
        remote.begin(stored, clock.instant());
      } catch (IOException e) {
        // The next time is soon enough; that the store is away chunks find out by themselves.
      }
    }
  }
}
