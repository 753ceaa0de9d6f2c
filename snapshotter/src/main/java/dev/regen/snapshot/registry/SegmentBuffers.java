package dev.regen.snapshot.registry;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The memory that blobs on their way take, in either direction: so many segments at once, of all
 * clients together.
 */
public final class SegmentBuffers {
  /** How long a segment is, but the last of a request. */
  public static final int SEGMENT_BYTES = 1 << 20;

  /** What is kept where nothing is on its way. */
  private static final int IDLE_AT_REST = 16;

  private static final Duration WAIT_LIMIT = Duration.ofSeconds(30);

  private final Semaphore free;
  private final int count;

  /** Those that were used and given back. */
  private final Deque<byte[]> idle = new ArrayDeque<>();

  /**
   * @param count how many segments there may be at once
   */
  public SegmentBuffers(int count) {
    this.count = count;
    this.free = new Semaphore(count, true);
  }

  /** How many so many bytes count as: at least 1, and never more than there are. */
  int count(long bytes) {
    return Math.toIntExact(Math.clamp(Math.ceilDiv(bytes, SEGMENT_BYTES), 1L, count));
  }

  /**
   * Takes some, and waits for those that are given back if need be.
   *
   * @param some what {@link #count} gave
   * @throws RegistryException TOOMANYREQUESTS if there were not so many for too long
   */
  void take(int some) throws RegistryException, InterruptedIOException {
    try {
      if (!free.tryAcquire(some, WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new RegistryException(
            RegistryException.Code.TOOMANYREQUESTS,
            "too many blobs are on their way at once; try again");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** Whether somebody waits for one. */
  boolean areWanted() {
    return free.hasQueuedThreads();
  }

  /** Takes some if there are enough for others too. */
  boolean takeIfPlenty(int some) {
    return free.availablePermits() > count / 2 && free.tryAcquire(some);
  }

  void give(int some) {
    free.release(some);
    if (free.availablePermits() == count) {
      keepIdle(IDLE_AT_REST);
    }
  }

  /** For who has taken some and has memory of his own for it: both would be too much. */
  void useOther() {
    keepIdle(free.availablePermits());
  }

  private void keepIdle(int most) {
    synchronized (idle) {
      while (idle.size() > most) {
        idle.pop();
      }
    }
  }

  /** The memory itself, for one that was taken. */
  byte[] memory() {
    synchronized (idle) {
      byte[] known = idle.poll();
      return known == null ? new byte[SEGMENT_BYTES] : known;
    }
  }

  /** Gives back what {@link #memory} gave. */
  void reuse(byte[] memory) {
    synchronized (idle) {
      idle.push(memory);
    }
  }
}
