package dev.regen.snapshot.chunk;

/**
 * Decides by names where groups of small entries begin, so that one more or one less moves only the
 * groups beside it. Part of the archive's format, like {@link ContentCutter}.
 */
public final class Names {
  /** Below this a group is not ended for a name. */
  public static final int GROUP_MIN_BYTES = 128 << 10;

  /** Above this a group is ended, whatever the name. */
  public static final int GROUP_MAX_BYTES = 4 << 20;

  /**
   * After the minimum a group goes on for about as much; sizes are rounded down to a power of 2.
   */
  private static final long GROUP_MORE_BYTES = 640 << 10;

  private static final int BITS = 24;

  private Names() {}

  /**
   * Whether an entry begins a new group.
   *
   * @param groupBytes what the group before it takes, about
   * @param entryBytes what the entry takes, about: the more, the likelier it begins a group, so
   *     that groups come out at about 1 MiB whether files are small or tiny
   */
  public static boolean beginsGroup(byte[] path, long groupBytes, long entryBytes) {
    if (groupBytes + entryBytes > GROUP_MAX_BYTES) {
      return true;
    }
    if (groupBytes < GROUP_MIN_BYTES) {
      return false;
    }
    long hash = hash(path) >>> (64 - BITS);
    return hash < (Long.highestOneBit(entryBytes) << BITS) / GROUP_MORE_BYTES;
  }

  /** 64 well mixed bits of a name. */
  public static long hash(byte[] name) {
    long hash = 0xCBF29CE484222325L;
    for (byte b : name) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    return mixed(hash);
  }

  static long mixed(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
