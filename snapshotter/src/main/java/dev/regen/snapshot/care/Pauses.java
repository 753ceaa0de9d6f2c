package dev.regen.snapshot.care;

import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;

/** Lets time pass. */
@FunctionalInterface
public interface Pauses {
  /** In the time of this host. */
  Pauses REAL =
      (time, progress) -> {
        long until = System.nanoTime() + time.toNanos();
        try {
          while (System.nanoTime() - until < 0) {
            if (progress.cancelled()) {
              throw new CancellationException("cancelled");
            }
            Thread.sleep(Math.min(200, Math.max(1, time.toMillis())));
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("interrupted");
        }
      };

  /**
   * Returns when so much time has passed.
   *
   * @throws CancellationException soon after the progress said so
   */
  void pass(Duration time, TransferProgress progress) throws IOException;
}
