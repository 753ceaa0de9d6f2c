package dev.regen.agent.tcp;

import java.util.concurrent.locks.LockSupport;

/**
 * Lets some bytes of a body that comes more slowly than it is taken come together before they are
 * read: each time that somebody is woken for a few bytes costs as much as many bytes do. For one
 * thread.
 */
public final class ComingTogether {
  /** Less than any client's and this host's buffers hold, so that the client never waits for it. */
  private static final int BYTES = 64 << 10;

  private static final long NANOS_MIN = 1_000_000;
  private static final long NANOS_MAX = 10_000_000;

  private final long begin = System.nanoTime();

  /**
   * Waits for as long as 64 KiB more, or the rest, take to come: at most 10 ms, and not at all if
   * that is less than 1 ms.
   *
   * @param arrivedBytes since this was made
   * @param leftBytes of the body; any large number if nobody knows
   */
  public void await(long arrivedBytes, long leftBytes) {
    if (arrivedBytes > 0) {
      double nanosPerByte = (double) (System.nanoTime() - begin) / arrivedBytes;
      long nanos = (long) Math.min(NANOS_MAX, nanosPerByte * Math.min(BYTES, leftBytes));
      if (nanos >= NANOS_MIN) {
        LockSupport.parkNanos(nanos);
      }
    }
  }
}
