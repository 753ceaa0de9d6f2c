package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.s3.Spots.Spot;
import dev.regen.snapshot.store.PackIndex;
import dev.regen.snapshot.store.PackList;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a store's packs, in memory: which chunk is in which of them, and in which places
 * nobody is to count on it. Safe for use by several threads at once.
 */
final class KnownPacks {
  /** Their index takes about 42 MB; the agent's heap is small. */
  static final int CHUNKS_MAX = 500_000;

  private final Map<String, Integer> numbers = new HashMap<>();
  private final Map<Integer, Pack> packs = new HashMap<>();

  /** One place of each chunk that can be counted on. It may be of a pack that is gone. */
  private final PackIndex index = new PackIndex();

  /** All other places, those that are marked among them; few. */
  private final Map<Digest, Set<PackIndex.Place>> others = new HashMap<>();

  /** What was said of packs that are not known yet. */
  private final Map<String, Set<Digest>> toMark = new HashMap<>();

  private final Map<String, Set<Digest>> toRemove = new HashMap<>();
  private int nextNumber;

  private static final class Pack {
    private final String name;
    private final int[] ends;
    private final BitSet marked = new BitSet();
    private final BitSet removed = new BitSet();

    Pack(String name, int[] ends) {
      this.name = name;
      this.ends = ends;
    }

    Place place(int entry) {
      int offset = entry == 0 ? 0 : ends[entry - 1];
      return new Place(name, entry, offset, ends[entry] - offset);
    }
  }

  /** Where a chunk's bytes are: the {@code entry}-th of a pack. */
  record Place(String pack, int entry, int offset, int length) {}

  /** The packs that are known. */
  synchronized Set<String> names() {
    return Set.copyOf(numbers.keySet());
  }

  /**
   * There is a further pack.
   *
   * @throws RegenException.Refused if more would be known than fits
   */
  synchronized void add(String name, PackList list) throws RegenException {
    if (numbers.containsKey(name)) {
      return;
    }
    if (index.size() + list.digests().size() > CHUNKS_MAX) {
      throw new RegenException.Refused(
          "the store holds more than " + CHUNKS_MAX + " chunks: use another prefix");
    }
    int number = nextNumber++;
    Pack pack = new Pack(name, list.ends());
    numbers.put(name, number);
    packs.put(number, pack);
    Set<Digest> mark = toMark.getOrDefault(name, Set.of());
    Set<Digest> remove = toRemove.getOrDefault(name, Set.of());
    for (int entry = 0; entry < list.digests().size(); entry++) {
      Digest digest = list.digests().get(entry);
      pack.marked.set(entry, mark.contains(digest));
      pack.removed.set(entry, remove.contains(digest));
      if (!remove.contains(digest)) {
        addOther(digest, new PackIndex.Place(number, entry));
        choose(digest);
      }
    }
  }

  /** A pack is gone. */
  synchronized void drop(String name) {
    Integer number = numbers.remove(name);
    if (number != null) {
      packs.remove(number);
    }
  }

  /** Nobody is to count on these any more; they may still be there. */
  synchronized void mark(Collection<Spot> spots) {
    for (Spot spot : spots) {
      PackIndex.Place place = at(spot);
      if (place != null) {
        pack(place).marked.set(place.entry());
        giveWay(spot.digest(), place);
      } else if (!numbers.containsKey(spot.pack())) {
        toMark.computeIfAbsent(spot.pack(), _ -> new HashSet<>()).add(spot.digest());
      }
    }
  }

  /** These hold nothing any more. */
  synchronized void remove(Collection<Spot> spots) {
    for (Spot spot : spots) {
      PackIndex.Place place = at(spot);
      if (place != null) {
        pack(place).removed.set(place.entry());
        giveWay(spot.digest(), place);
        forget(spot.digest(), place);
      } else if (!numbers.containsKey(spot.pack())) {
        toRemove.computeIfAbsent(spot.pack(), _ -> new HashSet<>()).add(spot.digest());
      }
    }
  }

  /** All packs that are there are known: what was said of others is of no use. */
  synchronized void settle() {
    toMark.clear();
    toRemove.clear();
  }

  /** A place of the chunk that can be counted on, or null. */
  synchronized @Nullable Place find(Digest digest) {
    PackIndex.Place place = choose(digest);
    return place == null ? null : pack(place).place(place.entry());
  }

  /** All places of the chunk, the one to be counted on first, marked ones last. */
  synchronized List<Place> all(Digest digest) {
    List<Place> all = new ArrayList<>();
    PackIndex.Place first = choose(digest);
    if (first != null) {
      all.add(pack(first).place(first.entry()));
    }
    for (PackIndex.Place place : others.getOrDefault(digest, Set.of())) {
      all.add(pack(place).place(place.entry()));
    }
    return all;
  }

  /** Names every chunk that can be counted on, in no order. */
  synchronized void forEach(Consumer<Digest> each) {
    List.copyOf(others.keySet()).forEach(this::choose);
    index.forEach(digest -> {
      if (isThere(index.find(digest))) {
        each.accept(digest);
      }
    });
  }

  /** Whether a pack is known and a place in it holds nothing any more. */
  synchronized boolean isRemoved(String name, int entry) {
    Pack pack = packs.get(numbers.getOrDefault(name, -1));
    return pack != null && pack.removed.get(entry);
  }

  /** The indexed place, if its pack is there; else another that can be counted on takes it. */
  private PackIndex.@Nullable Place choose(Digest digest) {
    PackIndex.Place now = index.find(digest);
    if (now != null && !isThere(now)) {
      index.remove(digest);
      now = null;
    }
    Set<PackIndex.Place> places = others.get(digest);
    if (places == null) {
      return now;
    }
    places.removeIf(place -> !isThere(place));
    if (now == null) {
      now = places.stream().filter(p -> !pack(p).marked.get(p.entry())).findAny().orElse(null);
      if (now != null) {
        index.add(digest, now.pack(), now.entry());
        places.remove(now);
      }
    }
    if (places.isEmpty()) {
      others.remove(digest);
    }
    return now;
  }

  /** An indexed place becomes one of the others, and another may take the index. */
  private void giveWay(Digest digest, PackIndex.Place place) {
    if (place.equals(index.find(digest))) {
      index.remove(digest);
      addOther(digest, place);
      choose(digest);
    }
  }

  private void addOther(Digest digest, PackIndex.Place place) {
    others.computeIfAbsent(digest, _ -> new HashSet<>(2)).add(place);
  }

  private void forget(Digest digest, PackIndex.Place place) {
    Set<PackIndex.Place> places = others.get(digest);
    if (places != null && places.remove(place) && places.isEmpty()) {
      others.remove(digest);
    }
  }

  private PackIndex.@Nullable Place at(Spot spot) {
    Integer number = numbers.get(spot.pack());
    if (number == null) {
      return null;
    }
    PackIndex.Place now = index.find(spot.digest());
    if (now != null && now.pack() == number) {
      return now;
    }
    return others.getOrDefault(spot.digest(), Set.of()).stream()
        .filter(place -> place.pack() == number)
        .findAny()
        .orElse(null);
  }

  private boolean isThere(PackIndex.@Nullable Place place) {
    return place != null && packs.containsKey(place.pack());
  }

  private Pack pack(PackIndex.Place place) {
    Pack pack = packs.get(place.pack());
    if (pack == null) {
      throw new IllegalStateException("no pack " + place.pack());
    }
    return pack;
  }
}
