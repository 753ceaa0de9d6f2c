package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The packs of a store and which chunk is in which of them. For one thread at a time, the one that
 * owns its monitor; what {@link #find} returns may be read by any.
 */
final class Packs {
  private static final Logger LOG = LoggerFactory.getLogger(Packs.class);
  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}");
  private static final String REMOVED = "removed";

  private final Disk disk;
  private final Path directory;
  private final RemovedChunks record;
  private final LongConsumer gone;
  private final PackIndex index = new PackIndex();
  private final Map<Integer, Pack> packs = new TreeMap<>();

  /** Of packs whose lists cannot be read now: should that change, their holes are no chunks. */
  private final Map<String, BitSet> unread = new HashMap<>();

  private int numbers;
  private boolean roomGivenBack;

  private Packs(Disk disk, Path directory, LongConsumer gone) {
    this.disk = disk;
    this.gone = gone;
    this.directory = directory;
    this.record = new RemovedChunks(disk, directory.resolve(REMOVED));
  }

  /** A chunk in a pack. */
  record Found(Pack pack, int entry) {
    int length() {
      return pack.length(entry);
    }
  }

  /**
   * Reads the lists of all packs in {@code directory}; a damaged one is told and left alone.
   *
   * @param gone is told the length of each chunk that is found no more from then on
   */
  static Packs load(Disk disk, Path directory, LongConsumer gone) throws IOException {
    Packs packs = new Packs(disk, directory, gone);
    Optional<Map<String, BitSet>> removed = packs.record.read();
    if (removed.isEmpty()) {
      LOG.warn("{} is damaged: every chunk of {} is read", REMOVED, directory);
    }
    for (Path file : disk.list(directory)) {
      if (NAME.matcher(file.getFileName().toString()).matches()) {
        packs.load(file, removed.orElse(null));
      }
    }
    return packs;
  }

  private void load(Path file, @Nullable Map<String, BitSet> removed) throws IOException {
    PackList list;
    try {
      list = PackList.read(disk, file);
    } catch (RegenException.Damaged e) {
      LOG.warn("{}; its chunks are missing", e.getMessage());
      String name = file.getFileName().toString();
      if (removed != null && removed.containsKey(name)) {
        unread.put(name, removed.get(name));
      }
      return;
    }
    Pack pack = new Pack(numbers++, file, list.ends());
    packs.put(pack.number(), pack);
    BitSet gone = removed == null ? unreadable(pack, list) : removed.get(pack.name());
    for (int entry = 0; entry < list.digests().size(); entry++) {
      boolean there = gone == null || !gone.get(entry);
      if (!there || !index.add(list.digests().get(entry), pack.number(), entry)) {
        pack.remove(entry);
      }
    }
  }

  /** Without the record only the bytes tell what is there. */
  private BitSet unreadable(Pack pack, PackList list) throws IOException {
    BitSet gone = new BitSet();
    for (int entry = 0; entry < list.digests().size(); entry++) {
      byte[] bytes = pack.read(disk, entry);
      gone.set(entry, !Digest.of(ByteBuffer.wrap(bytes)).equals(list.digests().get(entry)));
    }
    return gone;
  }

  @Nullable Found find(Digest digest) {
    PackIndex.Place place = index.find(digest);
    return place == null ? null : new Found(pack(place.pack()), place.entry());
  }

  /** An empty pack to be filled in {@code buffer}. */
  Pack begin(ByteBuffer buffer) {
    Pack pack = new Pack(numbers++, buffer);
    packs.put(pack.number(), pack);
    return pack;
  }

  /** Adds a chunk that is in no pack yet. */
  void add(Pack pack, Digest digest, ByteBuffer stored) {
    index.add(digest, pack.number(), pack.add(digest, stored));
  }

  /** A pack could not be written: its chunks are missing. */
  void forget(Pack pack) {
    for (Digest digest : pack.digests()) {
      PackIndex.Place place = index.find(digest);
      if (place != null && place.pack() == pack.number()) {
        index.remove(digest);
        gone.accept(pack.length(place.entry()));
      }
    }
    packs.remove(pack.number());
  }

  /** Names every chunk; reads the lists again. */
  void list(Consumer<Digest> each) throws IOException {
    for (Pack pack : packs.values()) {
      if (pack.isEmpty()) {
        continue; // Its file may be gone.
      }
      List<Digest> digests =
          pack.isNamed() ? PackList.read(disk, pack.there()).digests() : pack.digests();
      for (int entry = 0; entry < digests.size(); entry++) {
        if (!pack.removed().get(entry)) {
          each.accept(digests.get(entry));
        }
      }
    }
  }

  /** From now on a chunk is not found; false if it is in no pack. */
  boolean remove(Digest digest) {
    PackIndex.Place place = index.remove(digest);
    if (place != null) {
      Pack pack = pack(place.pack());
      pack.remove(place.entry());
      gone.accept(pack.length(place.entry()));
    }
    return place != null;
  }

  /** As {@link PackIndex#page}. */
  List<Digest> page(@Nullable Digest after, int max) {
    return index.page(after, max);
  }

  /** The length of each chunk. */
  void lengths(LongConsumer each) {
    for (Pack pack : packs.values()) {
      pack.lengths(each);
    }
  }

  /**
   * Makes what was removed last, and gives its room back: packs that hold nothing go as a whole. In
   * a pack that has no name yet it comes back with a crash, as garbage.
   */
  void settle() throws IOException {
    List<Pack> empty = new ArrayList<>();
    List<Pack> inPart = new ArrayList<>();
    for (Pack pack : packs.values()) {
      if (pack.isNamed() && !pack.removed().isEmpty()) {
        (pack.isEmpty() ? empty : inPart).add(pack);
      }
    }
    deleteAll(empty);
    List<Pack> changed = inPart.stream().filter(p -> p.isChanged() || !roomGivenBack).toList();
    if (!changed.isEmpty()) {
      Map<String, BitSet> all = new HashMap<>(unread);
      inPart.forEach(pack -> all.put(pack.name(), pack.removed()));
      record.write(all);
    }
    for (Pack pack : changed) {
      pack.giveRoomBack(disk);
    }
    roomGivenBack = true;
  }

  /** The record may go on naming them: no other pack will ever have their names. */
  private void deleteAll(List<Pack> empty) throws IOException {
    for (Pack pack : empty) {
      disk.delete(directory.resolve(pack.name()));
    }
    if (!empty.isEmpty()) {
      disk.forceDirectory(directory);
      empty.forEach(pack -> packs.remove(pack.number()));
    }
  }

  private Pack pack(int number) {
    Pack pack = packs.get(number);
    if (pack == null) {
      throw new IllegalStateException("no pack " + number);
    }
    return pack;
  }
}
