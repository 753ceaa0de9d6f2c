package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of one host: large ones are files of their own, as {@link DirectoryChunkStore} has
 * them, smaller ones share files of about 4 MiB, since a file for each would cost a capture more
 * than to compress it.
 *
 * <p>A pack ({@code packs/NAME}) is filled in memory, written under a name in {@code tmp/}, and
 * gets its own name only when {@link #force} has forced its bytes. It is never written again: of
 * chunks that are deleted the room is given back as holes, once {@link RemovedChunks} says that
 * they are gone, and a pack of which nothing is left is deleted.
 *
 * <p>One process at a time may change a store; others may read it meanwhile, and find chunks that
 * were forced before they began. Looking changes nothing: the first change removes what a crash
 * left in {@code tmp/}.
 */
public final class PackedChunkStore implements ChunkStore {
  /** A chunk that takes as much, as stored, is a file of its own. */
  static final int SINGLE_BYTES = 256 << 10;

  private static final int PACK_BYTES = 4 << 20;

  private final Disk disk;
  private final Path named;
  private final LongConsumer gone;
  private final DirectoryChunkStore singles;
  private final Packing packing;

  /** Held while packs get their names or lose chunks. */
  private final Object settling = new Object();

  /** Read when first needed; guarded by this. */
  private @Nullable Packs packs;

  /** Made by the first change; guarded by this. */
  private @Nullable PackWriter writer;

  /** How packs are written. */
  private interface Packing {
    PackWriter into(Packs packs);
  }

  /** The store in {@code directory} of a local file system, which the first put makes. */
  public PackedChunkStore(Disk disk, Path directory) {
    this(disk, directory, PACK_BYTES, _ -> {});
  }

  /**
   * As above.
   *
   * @param gone is told the length of each chunk that is here no more, whatever took it away
   */
  public PackedChunkStore(Disk disk, Path directory, LongConsumer gone) {
    this(disk, directory, PACK_BYTES, gone);
  }

  /** As above, with packs of another size, at least {@link #SINGLE_BYTES}. */
  PackedChunkStore(Disk disk, Path directory, int packBytes) {
    this(disk, directory, packBytes, _ -> {});
  }

  private PackedChunkStore(Disk disk, Path directory, int packBytes, LongConsumer gone) {
    this.disk = disk;
    this.gone = gone;
    this.named = directory.resolve("packs");
    this.singles = new DirectoryChunkStore(disk, directory, gone);
    Path unfinished = directory.resolve("tmp");
    this.packing = packs -> new PackWriter(disk, unfinished, named, packBytes, packs);
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    Set<Digest> unpacked = new HashSet<>();
    Packs all = packs();
    synchronized (all) {
      for (Digest digest : digests) {
        if (all.find(digest) == null) {
          unpacked.add(digest);
        }
      }
    }
    return singles.missing(unpacked);
  }

  /**
   * Those of {@code digests} that are not here, or might be gone after a power cut: that were not
   * forced yet, or could not be.
   */
  public Set<Digest> notLasting(Collection<Digest> digests) throws IOException {
    Set<Digest> unpacked = new HashSet<>();
    Set<Digest> unforced = new HashSet<>();
    Packs all = packs();
    synchronized (all) {
      for (Digest digest : digests) {
        Packs.Found found = all.find(digest);
        if (found == null) {
          unpacked.add(digest);
        } else if (!found.pack().isNamed()) {
          unforced.add(digest);
        }
      }
    }
    unforced.addAll(singles.notLasting(unpacked));
    return unforced;
  }

  @Override
  public boolean holds(Chunk chunk) throws IOException {
    Packs.Found found = find(chunk.digest());
    return found == null ? singles.holds(chunk) : found.length() == chunk.storedBytes();
  }

  @Override
  public boolean put(Digest digest, ByteBuffer stored) throws IOException {
    int length = stored.remaining();
    if (length < 1 || length > Chunk.STORED_BYTES_MAX) {
      throw new IllegalArgumentException("chunk of " + length + " stored bytes");
    }
    PackWriter ready = writer();
    if (length >= SINGLE_BYTES) {
      return singles.put(digest, stored);
    }
    if (singles.missing(Set.of(digest)).isEmpty() || !ready.put(digest, stored)) {
      stored.position(stored.limit());
      return false;
    }
    return true;
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    Packs.Found found = find(digest);
    if (found == null) {
      return singles.get(digest);
    }
    byte[] bytes = bytes(found);
    if (!Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw new RegenException.Damaged(
          "the chunk "
              + digest
              + " is damaged: its bytes in "
              + found.pack().there()
              + " are not those of its digest");
    }
    return bytes;
  }

  /**
   * {@inheritDoc}
   *
   * <p>If this fails, chunks that could not be forced are missing afterwards.
   */
  @Override
  public void force() throws IOException {
    PackWriter ready = writer();
    synchronized (settling) {
      singles.force();
      ready.force();
    }
  }

  /** {@inheritDoc} Here that is {@code damaged/}. */
  @Override
  public boolean setAside(Digest digest) throws IOException {
    Packs.Found found = find(digest);
    if (found == null) {
      return singles.setAside(digest);
    }
    singles.keepAside(digest, bytes(found));
    delete(Set.of(digest));
    return true;
  }

  @Override
  public void delete(Collection<Digest> digests) throws IOException {
    remove(digests);
    settle();
  }

  /**
   * As {@link #delete}, without its slow part: they are not found any more, and their room is given
   * back by {@link #settle}.
   */
  public void remove(Collection<Digest> digests) throws IOException {
    writer();
    Packs all = packs();
    synchronized (all) {
      digests.forEach(all::remove);
    }
    // Earlier builds may have left a file of the same chunk.
    singles.delete(digests);
  }

  /** Makes removals last, and gives the room of what was removed back. */
  public void settle() throws IOException {
    Packs all = packs();
    synchronized (settling) {
      synchronized (all) {
        all.settle();
      }
    }
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    Set<Digest> digests = new HashSet<>();
    Packs all = packs();
    synchronized (all) {
      all.list(digests::add);
    }
    singles.list(digests::add);
    digests.forEach(each);
  }

  /**
   * Chunks in ascending order; the work is for those that it names.
   *
   * @param after the last one that is left out, null to begin
   * @param max the most to return
   */
  public List<Digest> page(@Nullable Digest after, int max) throws IOException {
    Set<Digest> page = new TreeSet<>(Comparator.comparing(Digest::hex));
    Packs all = packs();
    synchronized (all) {
      page.addAll(all.page(after, max));
    }
    page.addAll(singles.page(after, max));
    return page.stream().limit(max).toList();
  }

  /** The length of each chunk that lasts, once for each copy; takes a look at each single file. */
  public void lengths(LongConsumer each) throws IOException {
    Packs all = packs();
    synchronized (all) {
      all.lengths(each);
    }
    singles.lengths(each);
  }

  /** Makes the store ready to be changed, once; the first change does it otherwise. */
  public void prepare() throws IOException {
    writer();
  }

  /** Where a forced chunk lies; null if it is not here, or not forced yet. */
  public @Nullable Place place(Digest digest) throws IOException {
    Packs all = packs();
    synchronized (all) {
      Packs.Found found = all.find(digest);
      if (found != null) {
        Pack pack = found.pack();
        return pack.isNamed()
            ? new Place(pack.there(), pack.offset(found.entry()), found.length())
            : null;
      }
    }
    Path file = singles.file(digest);
    long length = disk.size(file);
    return length <= 0 ? null : new Place(file, 0, (int) length);
  }

  /** Bytes of a file. */
  public record Place(Path file, int offset, int length) {}

  private Packs.@Nullable Found find(Digest digest) throws IOException {
    Packs all = packs();
    synchronized (all) {
      return all.find(digest);
    }
  }

  private byte[] bytes(Packs.Found found) throws IOException {
    synchronized (packs()) {
      byte[] bytes = found.pack().inMemory(found.entry());
      if (bytes != null) {
        return bytes;
      }
    }
    return found.pack().read(disk, found.entry());
  }

  private synchronized Packs packs() throws IOException {
    Packs loaded = packs;
    if (loaded == null) {
      loaded = Packs.load(disk, named, gone);
      packs = loaded;
    }
    return loaded;
  }

  /** Before the first change: what a crash left unfinished goes, names that it left are forced. */
  private synchronized PackWriter writer() throws IOException {
    PackWriter ready = writer;
    if (ready == null) {
      singles.prepare();
      new Records(disk).makeDirectory(named);
      new Records(disk).sweep(named);
      disk.forceDirectory(named);
      ready = packing.into(packs());
      writer = ready;
    }
    return ready;
  }
}
