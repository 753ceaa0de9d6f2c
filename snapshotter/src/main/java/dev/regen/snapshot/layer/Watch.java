package dev.regen.snapshot.layer;

import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Asks every 50 ms whether to go on, and tells then how far the work has come. For one thread. */
final class Watch {
  private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final Progress progress;
  private final BooleanSupplier cancelled;
  private long lastNanos;
  private long entries;
  private long tarBytes;

  Watch(Progress progress, BooleanSupplier cancelled) {
    this.progress = progress;
    this.cancelled = cancelled;
    this.lastNanos = System.nanoTime() - EVERY_NANOS;
  }

  void at(long entriesDone, long tarBytesDone) {
    entries = entriesDone;
    tarBytes = tarBytesDone;
    tick();
  }

  void reached(long tarBytesDone) {
    at(entries, tarBytesDone);
  }

  /**
   * Looks around, if it is time.
   *
   * @throws CancellationException if the work is to end
   */
  void tick() {
    long now = System.nanoTime();
    if (now - lastNanos < EVERY_NANOS) {
      return;
    }
    lastNanos = now;
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("cancelled");
    }
    progress.advanced(entries, tarBytes);
  }

  /** Tells the end. */
  void done() {
    progress.advanced(entries, tarBytes);
  }
}
