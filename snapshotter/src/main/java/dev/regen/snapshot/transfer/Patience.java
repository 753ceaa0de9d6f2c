package dev.regen.snapshot.transfer;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long somebody waits for another host, of which he sees nothing but what it stores: pauses
 * that grow while nothing comes, and an end.
 */
final class Patience {
  private static final long PAUSE_MILLIS_MIN = 50;
  private static final long PAUSE_MILLIS_MAX = 1000;

  /** So who waits learns of what comes after at most a tenth more of the time. */
  private static final int PART_OF_THE_WAIT = 10;

  private static final long SLICE_MILLIS = 100;
  private static final Duration QUIET = Duration.ofSeconds(10);

  private final Duration limit;
  private final TransferProgress progress;
  private long signAtNanos = System.nanoTime();
  private String words = "";
  private boolean quiet;

  /**
   * @param limit the longest that nothing may come
   */
  Patience(Duration limit, TransferProgress progress) {
    this.limit = limit;
    this.progress = progress;
  }

  /** Says what is done now. */
  void step(String now) {
    words = now;
    quiet = false;
    progress.step(now);
  }

  /** Something has come. */
  void sign() {
    signAtNanos = System.nanoTime();
    if (quiet) {
      step(words);
    }
  }

  boolean isOver() {
    return System.nanoTime() - signAtNanos > limit.toNanos();
  }

  String limitWords() {
    return limit.toSeconds() + " s";
  }

  /**
   * Waits a little, longer each time.
   *
   * @param whenQuiet what to say if nothing has come for a while
   * @throws CancellationException if the progress says so
   */
  void pause(String whenQuiet) throws IOException {
    if (!quiet && System.nanoTime() - signAtNanos > QUIET.toNanos()) {
      quiet = true;
      progress.step(whenQuiet);
    }
    long waitedMillis = (System.nanoTime() - signAtNanos) / 1_000_000;
    long millis = Math.clamp(waitedMillis / PART_OF_THE_WAIT, PAUSE_MILLIS_MIN, PAUSE_MILLIS_MAX);
    long until =
        System.nanoTime() + 1_000_000 * (millis / 2 + ThreadLocalRandom.current().nextLong(millis));
    try {
      for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
        check();
        Thread.sleep(Math.min(SLICE_MILLIS, left / 1_000_000 + 1));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    check();
  }

  private void check() {
    if (progress.cancelled()) {
      throw new CancellationException("cancelled");
    }
  }
}
