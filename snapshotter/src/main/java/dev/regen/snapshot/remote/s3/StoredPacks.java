package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.Parallel;
import dev.regen.snapshot.remote.s3.Spots.Spot;
import dev.regen.snapshot.store.PackList;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/**
 * The packs of a bucket, as they were when it was last looked. A look costs a list of their names,
 * and of each new one its last bytes.
 */
final class StoredPacks {
  static final String PACKS = "packs/";
  static final String MARKED = "marked/";
  static final String REMOVED = "removed/";

  /** The most packs. */
  static final int PACKS_MAX = 100_000;

  private static final int SPOT_OBJECTS_MAX = 100_000;

  /** The most places that are marked, and that are removed: about 50 MB of a small heap. */
  private static final long SPOTS_MAX = 250_000;

  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}");

  /** Far more than a pack has: it would not be one of ours. */
  private static final long PACK_BYTES_MAX = 64L << 20;

  private final Bucket bucket;
  private final Readings readings;
  private final KnownPacks known = new KnownPacks();
  private final ReentrantLock looking = new ReentrantLock();
  private final Set<String> spotObjects = new HashSet<>();
  private final Map<String, String> damaged = new ConcurrentHashMap<>();
  private final AtomicLong looks = new AtomicLong();

  StoredPacks(Bucket bucket) {
    this.bucket = bucket;
    this.readings = new Readings(bucket);
  }

  KnownPacks known() {
    return known;
  }

  /** Packs that hold nothing that could be read, in words. */
  List<String> troubles() {
    return List.copyOf(damaged.values());
  }

  /**
   * Looks at what is there now. Of several that want to look at once one does, after the others
   * came.
   */
  void look() throws IOException {
    long before = looks.get();
    looking.lock();
    try {
      if (looks.get() < before + 2) {
        lookNow();
        looks.incrementAndGet();
      }
    } finally {
      looking.unlock();
    }
  }

  /**
   * A chunk's bytes, not compared with anything.
   *
   * @throws RegenException.NotFound if the pack is gone
   */
  byte[] read(KnownPacks.Place place) throws IOException {
    return orGone(place, () -> readings.read(place));
  }

  /** As above, some of them. */
  byte[] read(KnownPacks.Place place, int offset, int length) throws IOException {
    return orGone(
        place, () -> bucket.get(PACKS + place.pack(), (long) place.offset() + offset, length));
  }

  private interface Reading {
    byte[] read() throws IOException;
  }

  private byte[] orGone(KnownPacks.Place place, Reading reading) throws IOException {
    try {
      return reading.read();
    } catch (RegenException.NotFound e) {
      known.drop(place.pack());
      throw e;
    }
  }

  /**
   * Stores a pack; its chunks are found from now on.
   *
   * @param pack the chunks, one after the other, from 0 to its position, and room for their list
   */
  void store(PackList list, ByteBuffer pack) throws IOException {
    String name = list.writeTo(pack);
    bucket.put(PACKS + name, List.of(pack.flip()), Bucket.Condition.NONE);
    known.add(name, list);
  }

  /** As above, of chunks that lie anywhere. */
  void store(List<Digest> digests, List<ByteBuffer> chunks) throws IOException {
    int[] ends = new int[chunks.size()];
    int end = 0;
    for (int i = 0; i < ends.length; i++) {
      end += chunks.get(i).remaining();
      ends[i] = end;
    }
    PackList list = new PackList(digests, ends);
    ByteBuffer foot = ByteBuffer.allocate(list.bytes());
    String name = list.writeTo(foot);
    List<ByteBuffer> content = new ArrayList<>(chunks);
    content.add(foot.flip());
    bucket.put(PACKS + name, content, Bucket.Condition.NONE);
    known.add(name, list);
  }

  /** Nobody is to count on these any more. */
  void mark(Collection<Spot> spots) throws IOException {
    store(MARKED, spots);
    known.mark(spots);
  }

  /** These hold nothing any more. */
  void remove(Collection<Spot> spots) throws IOException {
    store(REMOVED, spots);
    known.remove(spots);
  }

  /** Deletes packs whose chunks are elsewhere, or of no use. */
  void delete(Collection<String> names) throws IOException {
    for (String name : names) {
      bucket.delete(PACKS + name);
      known.drop(name);
    }
  }

  /** What a pack holds. */
  PackList list(String name, long size) throws IOException {
    String key = PACKS + name;
    return PackList.read(key, name, size, (offset, length) -> bucket.get(key, offset, length));
  }

  /** The packs that are there, and their lengths. */
  Map<String, Long> sizes() throws IOException {
    Map<String, Long> sizes = new HashMap<>();
    for (Bucket.Listed listed : bucket.list(PACKS, PACKS_MAX)) {
      String name = listed.key().substring(PACKS.length());
      if (NAME.matcher(name).matches()) {
        sizes.put(name, listed.size());
      }
    }
    return sizes;
  }

  /** Which places are marked, and since when. */
  Map<Spot, Instant> marked() throws IOException {
    Map<Spot, Instant> marked = new HashMap<>();
    for (Bucket.Listed listed : spotObjects(MARKED)) {
      for (Spot spot : spots(listed.key())) {
        marked.merge(spot, listed.modified(), (one, other) -> one.isAfter(other) ? other : one);
      }
    }
    return marked;
  }

  /** Whether the place holds the chunk still. */
  boolean isThere(Spot spot) {
    return known.all(spot.digest()).stream().anyMatch(place -> place.pack().equals(spot.pack()));
  }

  /** Deletes what is said of places in packs that are gone. */
  void forgetSpots() throws IOException {
    for (String prefix : List.of(MARKED, REMOVED)) {
      for (Bucket.Listed listed : spotObjects(prefix)) {
        List<Spot> spots = spots(listed.key());
        // Listed after they were read: a pack that is named there was there before.
        Set<String> there = sizes().keySet();
        if (spots.stream().noneMatch(spot -> there.contains(spot.pack()))) {
          bucket.delete(listed.key());
        }
      }
    }
  }

  private void lookNow() throws IOException {
    // What is marked first: a mark counts from the moment when others see it.
    readSpots(MARKED);
    readSpots(REMOVED);
    Map<String, Long> sizes = sizes();
    for (String name : known.names()) {
      if (!sizes.containsKey(name)) {
        known.drop(name);
      }
    }
    Set<String> fresh = new TreeSet<>(sizes.keySet());
    fresh.removeAll(known.names());
    fresh.removeAll(damaged.keySet());
    Parallel.run(fresh, name -> read(name, sizes.getOrDefault(name, 0L)));
    known.settle();
  }

  private void read(String name, long size) throws IOException {
    try {
      if (size > PACK_BYTES_MAX) {
        throw new RegenException.Damaged("the pack " + name + " is damaged: it is too long");
      }
      known.add(name, list(name, size));
    } catch (RegenException.NotFound e) {
      // It went just now.
    } catch (RegenException.Damaged e) {
      damaged.put(name, e.getMessage() + "; what only it holds is missing");
    }
  }

  private void readSpots(String prefix) throws IOException {
    for (Bucket.Listed listed : spotObjects(prefix)) {
      if (!spotObjects.contains(listed.key())) {
        List<Spot> spots = spots(listed.key());
        if (prefix.equals(MARKED)) {
          known.mark(spots);
        } else {
          known.remove(spots);
        }
        spotObjects.add(listed.key());
      }
    }
  }

  /**
   * Objects that name places; so many that they fit into memory together. What has another name
   * than such an object is none: some services show what is still being written under a name of
   * their own.
   */
  private List<Bucket.Listed> spotObjects(String prefix) throws IOException {
    List<Bucket.Listed> all =
        bucket.list(prefix, SPOT_OBJECTS_MAX).stream()
            .filter(listed -> Spots.isName(listed.key()))
            .toList();
    long bytes = all.stream().mapToLong(Bucket.Listed::size).sum();
    if (bytes > Spots.bytes(SPOTS_MAX)) {
      throw new RegenException.Refused(
          bucket.words()
              + " names more than "
              + SPOTS_MAX
              + " places in packs under "
              + prefix
              + ": use another prefix");
    }
    return all;
  }

  private List<Spot> spots(String key) throws IOException {
    Optional<Bucket.Stored> stored = bucket.get(key, Spots.BYTES_MAX);
    return stored.isEmpty() ? List.of() : Spots.decode(key, stored.get().bytes());
  }

  private void store(String prefix, Collection<Spot> spots) throws IOException {
    List<Spot> all = List.copyOf(spots);
    for (int from = 0; from < all.size(); from += Spots.COUNT_MAX) {
      byte[] bytes = Spots.encode(all.subList(from, Math.min(all.size(), from + Spots.COUNT_MAX)));
      bucket.put(prefix + Spots.name(bytes), bytes, Bucket.Condition.NONE);
    }
  }
}
