package dev.regen.snapshot.chunk;

/**
 * Decides by names where groups of small entries begin, so that one more or one less moves only the
 * groups beside it; holds the gear table of {@link ContentCutter} too. Both are part of the
 * archive's format: with others, nothing is found again.
 */
public final class Cutting {
  /** The cuts of archives that are not encrypted. */
  public static final Cutting PLAIN = new Cutting(plainGear(), 0);

  /**
   * Below this a group is not ended for a name. One changed file costs its group: groups of about
   * 128 KiB make a layer 4 % larger than groups of 1 MiB, and what 1 % of changed files adds four
   * times smaller.
   */
  public static final int GROUP_MIN_BYTES = 16 << 10;

  /** Above this a group is ended, whatever the name. */
  public static final int GROUP_MAX_BYTES = 4 << 20;

  /**
   * After the minimum a group goes on for about as much; sizes are rounded down to a power of 2.
   */
  private static final long GROUP_MORE_BYTES = 80 << 10;

  private static final int BITS = 24;

  private final long[] gear;
  private final long nameSeed;

  /**
   * @param gear 256 well mixed numbers
   * @param nameSeed decides with a name where a group begins
   */
  Cutting(long[] gear, long nameSeed) {
    if (gear.length != 256) {
      throw new IllegalArgumentException("a gear table of " + gear.length);
    }
    this.gear = gear.clone();
    this.nameSeed = nameSeed;
  }

  /** One number for each byte value. */
  long[] gear() {
    return gear;
  }

  /**
   * Whether an entry begins a new group.
   *
   * @param groupBytes what the group before it takes, about
   * @param entryBytes what the entry takes, about: the more, the likelier it begins a group, so
   *     that groups come out at about 128 KiB whether files are small or tiny
   */
  public boolean beginsGroup(byte[] path, long groupBytes, long entryBytes) {
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
  public long hash(byte[] name) {
    long hash = 0xCBF29CE484222325L ^ nameSeed;
    for (byte b : name) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    return mixed(hash ^ nameSeed);
  }

  private static long mixed(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** SplitMix64 from a fixed seed. */
  private static long[] plainGear() {
    long[] table = new long[256];
    long seed = 0x526567656E000001L;
    for (int i = 0; i < table.length; i++) {
      seed += 0x9E3779B97F4A7C15L;
      table[i] = mixed(seed);
    }
    return table;
  }
}
