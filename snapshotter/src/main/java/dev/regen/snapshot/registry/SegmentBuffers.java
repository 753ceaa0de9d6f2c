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

  /**
   * Takes one, and waits for one that is given back if need be.
   *
   * @throws RegistryException TOOMANYREQUESTS if none was for too long
   */
  void take() throws RegistryException, InterruptedIOException {
    try {
      if (!free.tryAcquire(WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
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

  /** Takes one if there are enough for others too. */
  boolean takeIfPlenty() {
    return free.availablePermits() > count / 2 && free.tryAcquire();
  }

  void give() {
    free.release();
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
