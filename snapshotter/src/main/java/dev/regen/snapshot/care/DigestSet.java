package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import java.util.Arrays;

/**
 * Very many digests in little memory, 8 bytes each to 24. It may say that it has one that it was
 * not given, once in some 10^13 questions to a million of them; never the other way.
 */
final class DigestSet {
  private static final int FIRST = 1 << 12;
  private static final int HEX = 16;

  private long[] table = new long[FIRST];
  private int size;

  void add(Digest digest) {
    if (2 * (size + 1) > table.length) {
      long[] old = table;
      table = new long[2 * old.length];
      Arrays.stream(old).filter(key -> key != 0).forEach(this::put);
    }
    if (put(key(digest))) {
      size++;
    }
  }

  boolean contains(Digest digest) {
    long key = key(digest);
    return table[place(key)] == key;
  }

  private boolean put(long key) {
    int place = place(key);
    boolean isNew = table[place] == 0;
    table[place] = key;
    return isNew;
  }

  /** Where it is, or where it would go. */
  private int place(long key) {
    int place = (int) key & (table.length - 1);
    while (table[place] != 0 && table[place] != key) {
      place = (place + 1) & (table.length - 1);
    }
    return place;
  }

  /** Never 0, which is no place's content. */
  private static long key(Digest digest) {
    long key = Long.parseUnsignedLong(digest.hex().substring(0, HEX), HEX);
    return key == 0 ? 1 : key;
  }
}
