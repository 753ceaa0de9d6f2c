package dev.regen.snapshot.remote;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many calls at once one server bears: found out by trying one more as long as it goes well,
 * and half as many when it does not. It does not go well when a call is not answered in time, when
 * the server says that it has too much to do, or when its answers take several times as long as the
 * bytes that are under way explain.
 */
public final class Pace {
  private static final int FIRST = 4;

  /** Slow answers alone never mean less: between two calls a line would be idle. */
  private static final int LEAST_WHERE_SLOW = 2;

  /** What a call costs besides its bytes, as bytes. */
  private static final int CALL_BYTES = 64 << 10;

  private static final long SLOW_NANOS = 1_000_000_000L;
  private static final double SLOWER = 4;

  /** So the best that was ever seen is forgotten, in some hundred calls. */
  private static final double FORGETTING = 1.01;

  private final int most;
  private final Permits permits;
  private final AtomicLong bytesInAll = new AtomicLong();
  private int limit;
  private int underWay;
  private int wellSinceChange;
  private boolean cutOnce;
  private long cutAtNanos = System.nanoTime();
  private double bestNanosPerByte = Double.MAX_VALUE;

  /**
   * @param most calls at once, at least 1
   */
  public Pace(int most) {
    this.most = most;
    this.limit = Math.min(FIRST, most);
    this.permits = new Permits(limit);
  }

  /** A call that is under way. */
  public record Turn(long atNanos, int atOnce) {}

  /** Those who wait come in order. */
  private static final class Permits extends Semaphore {
    private static final long serialVersionUID = 1;

    Permits(int count) {
      super(count, true);
    }

    void fewer(int count) {
      reducePermits(count);
    }
  }

  /** Waits until another call may begin: as long as those before it take. */
  public Turn begin() throws InterruptedException {
    permits.acquire();
    synchronized (this) {
      return new Turn(System.nanoTime(), ++underWay);
    }
  }

  /** A call was answered, whatever the answer said. */
  public void answered(Turn turn, long bytes) {
    bytesInAll.addAndGet(bytes);
    long nanos = System.nanoTime() - turn.atNanos();
    synchronized (this) {
      double each = (double) nanos / (bytes + CALL_BYTES) / turn.atOnce();
      bestNanosPerByte = Math.min(bestNanosPerByte * FORGETTING, each);
      if (nanos > SLOW_NANOS && each > SLOWER * bestNanosPerByte) {
        cut(turn, LEAST_WHERE_SLOW);
      } else {
        well();
      }
    }
    end();
  }

  /** A call was not answered in time, or the server said that it has too much to do. */
  public void overloaded(Turn turn) {
    synchronized (this) {
      cut(turn, 1);
    }
    end();
  }

  /** A call failed in another way, which says nothing of the server's load. */
  public void failed() {
    end();
  }

  public synchronized int limit() {
    return limit;
  }

  /** Whether somebody waits for a call to end. */
  boolean isFull() {
    return permits.hasQueuedThreads();
  }

  long bytesInAll() {
    return bytesInAll.get();
  }

  private void end() {
    synchronized (this) {
      underWay--;
    }
    permits.release();
  }

  /** One more for each call at first, then for each round of calls. */
  private void well() {
    wellSinceChange++;
    boolean wanted = permits.hasQueuedThreads() || underWay >= limit;
    if (wanted && limit < most && wellSinceChange >= (cutOnce ? limit : 1)) {
      limit++;
      wellSinceChange = 0;
      permits.release();
    }
  }

  /** Those that began before the last cut say nothing of what it did. */
  private void cut(Turn turn, int least) {
    if (turn.atNanos() - cutAtNanos < 0) {
      return;
    }
    int less = Math.max(Math.min(least, limit), limit / 2);
    permits.fewer(limit - less);
    limit = less;
    cutOnce = true;
    wellSinceChange = 0;
    cutAtNanos = System.nanoTime();
  }
}
