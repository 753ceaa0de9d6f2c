package dev.regen.runtime;

import java.util.List;

/** Threads that must have ended before anything else may happen. */
public final class Threads {
  private Threads() {}

  /**
   * Waits until all of {@code threads} have ended, however long that takes. An interrupt does not
   * end the wait; the caller's thread is interrupted afterwards.
   */
  public static void awaitEnd(List<Thread> threads) {
    awaitEnd(threads, () -> {});
  }

  /**
   * As above.
   *
   * @param interrupted run at each interrupt, so that they end soon
   */
  public static void awaitEnd(List<Thread> threads, Runnable interrupted) {
    boolean was = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          was = true;
          interrupted.run();
        }
      }
    }
    if (was) {
      Thread.currentThread().interrupt();
    }
  }
}
