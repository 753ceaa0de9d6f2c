package dev.regen.snapshot.layer;

import java.util.Arrays;

/** Where a file has no blocks: ranges in order, that do not touch. */
final class Holes {
  /** None at all. */
  static final Holes NONE = new Holes(new long[0]);

  /** Where each range begins and ends, strictly rising. */
  private final long[] changes;

  /**
   * @param changes begin and end of each hole in turn, in bytes, strictly rising
   */
  Holes(long[] changes) {
    for (int i = 1; i < changes.length; i++) {
      if (changes[i] <= changes[i - 1]) {
        throw new IllegalArgumentException("holes out of order");
      }
    }
    this.changes = changes.clone();
  }

  /** As an entry index tells them. Holes without length vanish, and those that touch become one. */
  static Holes of(EntryIndex.Hole[] told) {
    if (told.length == 0) {
      return NONE;
    }
    long[] changes = new long[2 * told.length];
    int length = 0;
    for (EntryIndex.Hole hole : told) {
      if (hole.length() == 0) {
        continue;
      }
      if (length > 0 && changes[length - 1] == hole.offset()) {
        length--;
      } else {
        changes[length++] = hole.offset();
      }
      changes[length++] = hole.offset() + hole.length();
    }
    return new Holes(Arrays.copyOf(changes, length));
  }

  /** Whether the byte at {@code offsetBytes} is in a hole. */
  boolean holds(long offsetBytes) {
    return (passed(offsetBytes) & 1) == 1;
  }

  /** Where data ends or begins next after {@code offsetBytes}; the largest number if nowhere. */
  long changesAfter(long offsetBytes) {
    int passed = passed(offsetBytes);
    return passed == changes.length ? Long.MAX_VALUE : changes[passed];
  }

  /** How many of the changes are at or before the offset. */
  private int passed(long offsetBytes) {
    int found = Arrays.binarySearch(changes, offsetBytes);
    return found >= 0 ? found + 1 : -found - 1;
  }
}
