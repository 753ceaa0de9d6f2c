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
   * Reads bytes of the chunk that is open.
   *
   * @return the index in {@code bytes} of the first byte after the cut, and then the rest is still
   *     to be given; -1 if there is no cut in them
   */
  public int next(byte[] bytes, int from, int to) {
    int at = from + Math.clamp((long) MIN_BYTES - length, 0, to - from);
    int average = from + Math.clamp((long) AVERAGE_BYTES - length, 0, to - from);
    int end = from + Math.min(MAX_BYTES - length, to - from);
    long[] table = gear;
    long h = hash;
    for (; at < average; at++) {
      h = (h << 1) + table[bytes[at] & 0xFF];
      if ((h & MASK_BEFORE) == 0) {
        return cut(at + 1);
      }
    }
    for (; at < end; at++) {
      h = (h << 1) + table[bytes[at] & 0xFF];
      if ((h & MASK_AFTER) == 0) {
        return cut(at + 1);
      }
    }
    length += end - from;
    if (length == MAX_BYTES) {
      return cut(end);
    }
    hash = h;
    return -1;
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
