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
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
