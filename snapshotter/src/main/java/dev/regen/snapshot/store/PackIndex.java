package dev.regen.snapshot.store;

import dev.regen.snapshot.Digest;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where each packed chunk is: digest to pack and place in it. Takes 40 bytes a chunk and the room
 * that a hash table needs, no objects. For one thread at a time.
 */
public final class PackIndex {
  private static final int WORDS = 4;
  private static final int WORD_DIGITS = 16;
  private static final int FREE = -1;

  /** Four words of each digest; a digest is random, so its first bits place it. */
  private long[] digests = new long[WORDS * 64];

  /** The number of the pack; {@link #FREE} where a slot is. */
  private int[] packs = filled(64);

  private int[] entries = new int[64];
  private int size;

  /** A chunk is the {@code entry}-th of pack {@code pack}. */
  public record Place(int pack, int entry) {}

  /** How many digests it holds. */
  public int size() {
    return size;
  }

  /** Where a digest is, or null. */
  public @Nullable Place find(Digest digest) {
    int slot = slot(words(digest));
    return packs[slot] == FREE ? null : new Place(packs[slot], entries[slot]);
  }

  /** Adds a digest; false if it is there, whose place stays. */
  public boolean add(Digest digest, int pack, int entry) {
    if (2 * (size + 1) > packs.length) {
      grow();
    }
    long[] words = words(digest);
    int slot = slot(words);
    if (packs[slot] != FREE) {
      return false;
    }
    set(slot, words, 0, pack, entry);
    size++;
    return true;
  }

  /** Removes a digest; where it was, or null. */
  public @Nullable Place remove(Digest digest) {
    int slot = slot(words(digest));
    if (packs[slot] == FREE) {
      return null;
    }
    Place place = new Place(packs[slot], entries[slot]);
    packs[slot] = FREE;
    size--;
    moveUp(slot);
    return place;
  }

  /** Names every digest, in no order; nothing is added or removed meanwhile. */
  public void forEach(Consumer<Digest> each) {
    for (int slot = 0; slot < packs.length; slot++) {
      if (packs[slot] != FREE) {
        StringBuilder hex = new StringBuilder(WORDS * WORD_DIGITS);
        for (int word = 0; word < WORDS; word++) {
          hex.append(HexFormat.of().toHexDigits(digests[WORDS * slot + word]));
        }
        each.accept(new Digest(hex.toString()));
      }
    }
  }

  /** Those behind a slot that became free are looked for from before it: they close the gap. */
  private void moveUp(int freed) {
    int free = freed;
    for (int slot = next(free); packs[slot] != FREE; slot = next(slot)) {
      int home = home(digests[WORDS * slot]);
      if (distance(home, slot) >= distance(free, slot)) {
        set(free, digests, WORDS * slot, packs[slot], entries[slot]);
        packs[slot] = FREE;
        free = slot;
      }
    }
  }

  private void grow() {
    long[] oldDigests = digests;
    int[] oldPacks = packs;
    int[] oldEntries = entries;
    digests = new long[2 * oldDigests.length];
    packs = filled(2 * oldPacks.length);
    entries = new int[2 * oldEntries.length];
    for (int old = 0; old < oldPacks.length; old++) {
      if (oldPacks[old] != FREE) {
        int slot = home(oldDigests[WORDS * old]);
        while (packs[slot] != FREE) {
          slot = next(slot);
        }
        set(slot, oldDigests, WORDS * old, oldPacks[old], oldEntries[old]);
      }
    }
  }

  private void set(int slot, long[] from, int at, int pack, int entry) {
    System.arraycopy(from, at, digests, WORDS * slot, WORDS);
    packs[slot] = pack;
    entries[slot] = entry;
  }

  /** Where the digest is, or the free slot where it belongs. */
  private int slot(long[] words) {
    int slot = home(words[0]);
    while (packs[slot] != FREE && !isAt(slot, words)) {
      slot = next(slot);
    }
    return slot;
  }

  private boolean isAt(int slot, long[] words) {
    int at = WORDS * slot;
    return digests[at] == words[0]
        && digests[at + 1] == words[1]
        && digests[at + 2] == words[2]
        && digests[at + 3] == words[3];
  }

  private int home(long word) {
    return (int) word & (packs.length - 1);
  }

  private int next(int slot) {
    return (slot + 1) & (packs.length - 1);
  }

  private int distance(int from, int to) {
    return (to - from) & (packs.length - 1);
  }

  private static int[] filled(int length) {
    int[] numbers = new int[length];
    java.util.Arrays.fill(numbers, FREE);
    return numbers;
  }

  private static long[] words(Digest digest) {
    long[] words = new long[WORDS];
    for (int i = 0; i < WORDS; i++) {
      words[i] =
          HexFormat.fromHexDigitsToLong(digest.hex(), i * WORD_DIGITS, (i + 1) * WORD_DIGITS);
    }
    return words;
  }
}
