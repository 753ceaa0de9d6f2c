package dev.regen.snapshot.chunk;

/**
 * Finds cuts in a stream of bytes by what the bytes are, so that the same bytes are cut in the same
 * places wherever they stand: FastCDC with a gear hash and normalised sizes.
 *
 * <p>Source: Xia et al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data
 * Deduplication", USENIX ATC 2016. The sizes below are part of the archive's format, like the table
 * of {@link Cutting}: with others, nothing is found again.
 */
public final class ContentCutter {
  public static final int MIN_BYTES = 256 << 10;
  public static final int AVERAGE_BYTES = 1 << 20;
  public static final int MAX_BYTES = 4 << 20;

  /** Cuts are rarer than the average before that size, more frequent after it. */
  private static final long MASK_BEFORE = -1L << (64 - 22);

  private static final long MASK_AFTER = -1L << (64 - 18);

  private final long[] gear;
  private long hash;
  private int length;

  public ContentCutter(Cutting cutting) {
    this.gear = cutting.gear();
  }

  /**
   * Passes over those of the next {@code count} bytes where no chunk may end yet; they need not be
   * given.
   *
   * @return how many they are, 0 to {@code count}
   */
  public int pass(int count) {
    int passed = Math.clamp((long) MIN_BYTES - length, 0, count);
    length += passed;
    return passed;
  }

  /**
   * Reads bytes of the chunk that is open.
   *
   * @return the index in {@code bytes} of the first byte after the cut, and then the rest is still
   *     to be given; -1 if there is no cut in them
   */
  public int next(byte[] bytes, int from, int to) {
    int at = from + Math.clamp((long) MIN_BYTES - length, 0, to - from);
    int average = from + Math.clamp((long) AVERAGE_BYTES - length, 0, to - from);
    int end = from + Math.min(MAX_BYTES - length, to - from);
    at = search(bytes, at, average, MASK_BEFORE);
    if (at < 0) {
      return cut(~at);
    }
    at = search(bytes, at, end, MASK_AFTER);
    if (at < 0) {
      return cut(~at);
    }
    length += end - from;
    if (length == MAX_BYTES) {
      return cut(end);
    }
    return -1;
  }

  /**
   * Moves on to {@code end} at most; returns where it is, or the complement of the index after the
   * byte whose hash has none of the bits of {@code mask}. Two bytes a turn: the next hash then
   * waits for one addition, not for two.
   */
  private int search(byte[] bytes, int from, int end, long mask) {
    long[] table = gear;
    long h = hash;
    int at = from;
    for (; at < end - 1; at += 2) {
      long first = table[bytes[at] & 0xFF];
      long both = (first << 1) + table[bytes[at + 1] & 0xFF];
      if ((((h << 1) + first) & mask) == 0) {
        return ~(at + 1);
      }
      h = (h << 2) + both;
      if ((h & mask) == 0) {
        return ~(at + 2);
      }
    }
    if (at < end) {
      h = (h << 1) + table[bytes[at++] & 0xFF];
      if ((h & mask) == 0) {
        return ~at;
      }
    }
    hash = h;
    return at;
  }

  /** Begins a chunk. */
  public void reset() {
    hash = 0;
    length = 0;
  }

  private int cut(int at) {
    reset();
    return at;
  }
}
