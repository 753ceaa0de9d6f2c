package dev.regen.e2e;

import java.util.random.RandomGenerator;

/** Which changes to the disk a process is killed before: not each, but others in each run. */
final class CrashPoints {
  private CrashPoints() {}

  /**
   * The first of them, within a stride; said, so that {@code -Dregen.crash.first} can do the same
   * again.
   *
   * @param stride from one to the next, at least 1
   */
  static int first(int stride) {
    int first =
        Integer.getInteger("regen.crash.first", 1 + RandomGenerator.getDefault().nextInt(stride));
    System.out.printf("killed first at change %d, then at each %d.%n", first, stride);
    return first;
  }
}
