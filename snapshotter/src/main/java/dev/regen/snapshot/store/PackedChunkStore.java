package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
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
  private final Path directory;
  private final Path unfinished;
  private final Path named;
  private final int packBytes;
  private final DirectoryChunkStore singles;
  private final Object forcing = new Object();

  /** Read when first needed; guarded by this, as is all that follows. */
  private @Nullable Packs packs;

  private boolean prepared;
  private @Nullable Pack open;
  private final Set<Pack> beingWritten = new LinkedHashSet<>();
  private final List<Pack> unforced = new ArrayList<>();
  private final Deque<ByteBuffer> buffers = new ArrayDeque<>();

  /** The store in {@code directory} of a local file system, which the first put makes. */
  public PackedChunkStore(Disk disk, Path directory) {
    this(disk, directory, PACK_BYTES);
  }

  /** As above, with packs of another size, at least {@link #SINGLE_BYTES}. */
  PackedChunkStore(Disk disk, Path directory, int packBytes) {
    this.disk = disk;
    this.packBytes = packBytes;
    this.directory = directory;
    this.unfinished = directory.resolve("tmp");
    this.named = directory.resolve("packs");
    this.singles = new DirectoryChunkStore(disk, directory);
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    Set<Digest> unpacked = new HashSet<>();
    synchronized (this) {
      for (Digest digest : digests) {
        if (packs().find(digest) == null) {
          unpacked.add(digest);
        }
      }
    }
    return singles.missing(unpacked);
  }

  @Override
  public boolean holds(Chunk chunk) throws IOException {
    synchronized (this) {
      Packs.Found found = packs().find(chunk.digest());
      if (found != null) {
        return found.length() == chunk.storedBytes();
      }
    }
    return singles.holds(chunk);
  }

  @Override
  public boolean put(Digest digest, ByteBuffer stored) throws IOException {
    int length = stored.remaining();
    if (length < 1 || length > Chunk.STORED_BYTES_MAX) {
      throw new IllegalArgumentException("chunk of " + length + " stored bytes");
    }
    prepare();
    if (length >= SINGLE_BYTES) {
      return singles.put(digest, stored);
    }
    Pack full;
    synchronized (this) {
      if (isThere(digest)) {
        stored.position(stored.limit());
        return false;
      }
      full = open != null && !open.hasRoom(length) ? taken() : null;
      if (open == null) {
        open = packs().begin(buffers.isEmpty() ? Pack.buffer(packBytes) : buffers.pop());
      }
      packs().add(open, digest, stored);
    }
    if (full != null) {
      write(full);
    }
    return true;
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    Packs.Found found;
    byte[] bytes;
    synchronized (this) {
      found = packs().find(digest);
      bytes = found == null ? null : found.pack().inMemory(found.entry());
    }
    if (found == null) {
      return singles.get(digest);
    }
    if (bytes == null) {
      bytes = found.pack().read(disk, found.entry());
    }
    if (!Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw new RegenException.Damaged(
          "the chunk "
              + digest
              + " is damaged: its bytes in "
              + found.pack().file()
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
    prepare();
    synchronized (forcing) {
      writeOpen();
      singles.force();
      List<Pack> now = unforced();
      try {
        for (Pack pack : now) {
          disk.force(file(pack));
        }
        for (Pack pack : now) {
          Path to = named.resolve(file(pack).getFileName());
          disk.rename(file(pack), to);
          pack.movedTo(to);
        }
        disk.forceDirectory(named);
      } catch (IOException e) {
        // After a failed force the kernel may call bytes clean that never arrived: start over.
        now.forEach(pack -> giveUp(pack, e));
        throw e;
      }
      synchronized (this) {
        now.forEach(Pack::lasts);
        unforced.removeAll(now);
      }
    }
  }

  /** {@inheritDoc} Here that is {@code damaged/}. */
  @Override
  public boolean setAside(Digest digest) throws IOException {
    Packs.Found found;
    synchronized (this) {
      found = packs().find(digest);
    }
    if (found == null) {
      return singles.setAside(digest);
    }
    singles.keepAside(digest, found.pack().read(disk, found.entry()));
    delete(Set.of(digest));
    return true;
  }

  @Override
  public void delete(Collection<Digest> digests) throws IOException {
    prepare();
    List<Digest> unpacked = new ArrayList<>();
    synchronized (forcing) {
      synchronized (this) {
        for (Digest digest : digests) {
          if (!packs().remove(digest)) {
            unpacked.add(digest);
          }
        }
        packs().settle();
      }
    }
    singles.delete(unpacked);
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    Set<Digest> all = new HashSet<>();
    synchronized (this) {
      packs().list(all::add);
    }
    singles.list(all::add);
    all.forEach(each);
  }

  /** Where a forced chunk lies, for whoever looks at the disk; null if it is not here. */
  public @Nullable Place place(Digest digest) throws IOException {
    Packs.Found found;
    synchronized (this) {
      found = packs().find(digest);
    }
    if (found == null) {
      Path file = singles.file(digest);
      long length = disk.size(file);
      return length < 0 ? null : new Place(file, 0, (int) length);
    }
    return new Place(file(found.pack()), found.pack().offset(found.entry()), found.length());
  }

  /** Bytes of a file. */
  public record Place(Path file, int offset, int length) {}

  private synchronized Packs packs() throws IOException {
    Packs loaded = packs;
    if (loaded == null) {
      loaded = Packs.load(disk, named);
      packs = loaded;
    }
    return loaded;
  }

  /** Before the first change: what a crash left unfinished goes, names that it left are forced. */
  private synchronized void prepare() throws IOException {
    if (prepared) {
      return;
    }
    singles.prepare();
    new Records(disk).makeDirectory(named);
    packs().sweep();
    disk.forceDirectory(named);
    prepared = true;
  }

  private boolean isThere(Digest digest) throws IOException {
    return packs().find(digest) != null || singles.missing(Set.of(digest)).isEmpty();
  }

  /** The open pack, to be written by the caller. */
  private @Nullable Pack taken() {
    Pack pack = open;
    if (pack != null) {
      beingWritten.add(pack);
      open = null;
    }
    return pack;
  }

  private void writeOpen() throws IOException {
    Pack last;
    synchronized (this) {
      last = taken();
    }
    if (last != null) {
      write(last);
    }
  }

  private void write(Pack pack) throws IOException {
    Pack.Sealed sealed = pack.seal();
    Path file = unfinished.resolve(sealed.name());
    try {
      disk.create(file, sealed.bytes());
      disk.startWriteout(file);
      synchronized (this) {
        buffers.push(pack.writtenTo(file));
        unforced.add(pack);
      }
    } catch (IOException e) {
      synchronized (this) {
        packs().forget(pack);
      }
      discard(file, e);
      throw e;
    } finally {
      synchronized (this) {
        beingWritten.remove(pack);
        notifyAll();
      }
    }
  }

  /** The packs that are to be forced, those among them that others are still writing. */
  private synchronized List<Pack> unforced() throws InterruptedIOException {
    Set<Pack> begun = new HashSet<>(beingWritten);
    try {
      while (begun.stream().anyMatch(beingWritten::contains)) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while chunks were written");
    }
    buffers.clear();
    return List.copyOf(unforced);
  }

  private void giveUp(Pack pack, IOException cause) {
    synchronized (this) {
      unforced.remove(pack);
      try {
        packs().forget(pack);
      } catch (IOException e) {
        cause.addSuppressed(e);
      }
    }
    discard(file(pack), cause);
  }

  private void discard(Path file, IOException cause) {
    try {
      disk.delete(file);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private Path file(Pack pack) {
    Path file = pack.file();
    return file == null ? directory : file;
  }
}
