package dev.regen.agent.jobs;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How many operations may be started at a moment: in each interval one batch of up to <i>N</i>.
 *
 * <p>An interval begins with the first that is started in it, so that nobody waits for nothing.
 * <i>N</i> falls to the number of a batch that did not fail for lack of capacity, never below 1;
 * each batch that succeeds whole lets it grow by one, up to the setting. What failed for another
 * reason, bad input or a cancellation, says nothing of capacity.
 *
 * <p>Not safe for several threads; times are those of {@link System#nanoTime}.
 */
final class Batches {
  /** What came of one operation. */
  enum Outcome {
    SUCCESS,
    /** Time-outs, somebody who is away or has too much to do, a full disk. */
    LACKED_CAPACITY,
    FAILED_OTHERWISE
  }

  /** Those that were started in one interval. */
  static final class Batch {
    private final long beganNanos;
    private int started;
    private int succeeded;
    private int lacking;
    private boolean closed;
    private boolean counted;

    private Batch(long beganNanos) {
      this.beganNanos = beganNanos;
    }
  }

  private final long intervalNanos;
  private final int most;
  private int size;
  private @Nullable Batch open;

  Batches(Duration interval, int most) {
    intervalNanos = interval.toNanos();
    this.most = most;
    size = most;
  }

  /** <i>N</i>, as it is now. */
  int size() {
    return size;
  }

  boolean mayStart(long nowNanos) {
    Batch batch = open;
    if (batch != null && nowNanos - batch.beganNanos >= intervalNanos) {
      batch.closed = true;
      settle(batch);
      open = null;
    }
    return open == null || open.started < size;
  }

  /** How long until {@link #mayStart} may answer otherwise. */
  long nanosLeft(long nowNanos) {
    return open == null ? 0 : Math.max(0, open.beganNanos + intervalNanos - nowNanos);
  }

  /** One is started now; {@link #mayStart} has just allowed it. */
  Batch start(long nowNanos) {
    if (open == null) {
      open = new Batch(nowNanos);
    }
    open.started++;
    return open;
  }

  /** One of {@code batch} has ended. */
  void ended(Batch batch, Outcome outcome) {
    switch (outcome) {
      case SUCCESS -> batch.succeeded++;
      case LACKED_CAPACITY -> batch.lacking++;
      case FAILED_OTHERWISE -> {}
    }
    settle(batch);
  }

  private void settle(Batch batch) {
    if (!batch.closed) {
      return;
    }
    if (batch.lacking > 0) {
      size = Math.max(1, Math.min(size, batch.started - batch.lacking));
    } else if (batch.succeeded == batch.started && !batch.counted) {
      batch.counted = true;
      size = Math.min(most, size + 1);
    }
  }
}
