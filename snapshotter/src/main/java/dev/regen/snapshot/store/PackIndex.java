package dev.regen.snapshot.store;

import dev.regen.snapshot.Digest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
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

  /**
   * Four words of each digest. A digest is random, so its first bits place it; the slots so are
   * nearly in the order of the digests.
   */
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
        each.accept(digest(slot));
      }
    }
  }

  /**
   * Digests in ascending order; looks at no more slots than it needs.
   *
   * @param after the last one that is left out, null to begin
   * @param max the most to return
   */
  List<Digest> page(@Nullable Digest after, int max) {
    List<Digest> page = new ArrayList<>();
    String from = after == null ? "" : after.hex();
    int first = after == null ? 0 : home(words(after)[0]);
    // Between two free slots lie all whose home is there; past the end, those that found no room.
    for (int at = first; at < 2 * packs.length; at++) {
      int slot = at & (packs.length - 1);
      boolean free = packs[slot] == FREE;
      if (free && (page.size() >= max || at >= packs.length)) {
        break;
      }
      boolean wrapped = !free && home(digests[WORDS * slot]) > slot;
      if (!free && wrapped == at >= packs.length) {
        Digest digest = digest(slot);
        if (digest.hex().compareTo(from) > 0) {
          page.add(digest);
        }
      }
    }
    page.sort(Comparator.comparing(Digest::hex));
    return page.size() <= max ? page : List.copyOf(page.subList(0, max));
  }

  private Digest digest(int slot) {
    StringBuilder hex = new StringBuilder(WORDS * WORD_DIGITS);
    for (int word = 0; word < WORDS; word++) {
      hex.append(HexFormat.of().toHexDigits(digests[WORDS * slot + word]));
    }
    return new Digest(hex.toString());
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

  /** The first bits, as many as there are slots for: a power of two. */
  private int home(long word) {
    return (int) (word >>> (Long.SIZE - Integer.numberOfTrailingZeros(packs.length)));
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
