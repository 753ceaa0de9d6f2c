package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
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
    this(disk, directory, PACK_BYTES);
  }

  /** As above, with packs of another size, at least {@link #SINGLE_BYTES}. */
  PackedChunkStore(Disk disk, Path directory, int packBytes) {
    this.disk = disk;
    this.named = directory.resolve("packs");
    this.singles = new DirectoryChunkStore(disk, directory);
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
    writer();
    Packs all = packs();
    List<Digest> unpacked = new ArrayList<>();
    synchronized (settling) {
      synchronized (all) {
        for (Digest digest : digests) {
          if (!all.remove(digest)) {
            unpacked.add(digest);
          }
        }
        all.settle();
      }
    }
    singles.delete(unpacked);
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

  /** Where a forced chunk lies, for whoever looks at the disk; null if it is not here. */
  public @Nullable Place place(Digest digest) throws IOException {
    Packs.Found found = find(digest);
    if (found == null) {
      Path file = singles.file(digest);
      long length = disk.size(file);
      return length < 0 ? null : new Place(file, 0, (int) length);
    }
    return new Place(found.pack().there(), found.pack().offset(found.entry()), found.length());
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
      loaded = Packs.load(disk, named);
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
