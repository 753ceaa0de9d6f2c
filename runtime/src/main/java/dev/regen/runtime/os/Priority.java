package dev.regen.runtime.os;

import java.io.IOException;

/**
 * What share of the processors a thread gets when others want them too.
 *
 * <p>Source: Linux, {@code sched(7)}: the nice value is one of the thread, not of its process.
 */
public final class Priority {
  private static final int PRIO_PROCESS = 0;
  private static final int THIS_THREAD = 0;
  private static final int LOWEST = 19;

  private Priority() {}

  /** Work that takes long. */
  @FunctionalInterface
  public interface Work {
    void run() throws IOException;
  }

  /**
   * Does work on this thread with what others leave over; with the usual share where that cannot be
   * had. Whoever holds a lock must not call this: others would wait for it as long.
   */
  public static void last(Work work) throws IOException {
    int usual = Libc.getpriority(PRIO_PROCESS, THIS_THREAD);
    Libc.setpriority(PRIO_PROCESS, THIS_THREAD, LOWEST);
    try {
      work.run();
    } finally {
      Libc.setpriority(PRIO_PROCESS, THIS_THREAD, usual);
    }
  }
}
