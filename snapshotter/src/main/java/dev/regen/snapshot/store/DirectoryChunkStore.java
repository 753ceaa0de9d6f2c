package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FileTooLargeException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Chunks as files of one local directory: {@code sha256/ab/abcd…}.
 *
 * <p>A chunk is written under a name in {@code tmp/}, and gets its own name only when {@link
 * #force} has forced its bytes; so a file under a chunk's name is whole. One journal commit of the
 * file system then serves many chunks. Until that, this process finds the chunk all the same.
 *
 * <p>One process at a time may change a store. Looking changes nothing: the first change removes
 * what a crash left in {@code tmp/}, and forces the names a crash may have left unforced.
 */
public final class DirectoryChunkStore implements ChunkStore {
  private static final int STRIPES = 64;
  private static final int PREFIX_CHARACTERS = 2;

  private final Disk disk;
  private final Records records;
  private final Path unfinished;
  private final Path named;
  private final Path damaged;

  /** Written, and not yet known to last under their own names. */
  private final Map<Digest, Waiting> pending = new ConcurrentHashMap<>();

  /** Directories with names that are not forced yet; guarded by {@link #forcing}. */
  private final Set<Path> unforced = new TreeSet<>();

  /** Those of them whose names a force that failed may have left. */
  private final Set<Path> doubtful = ConcurrentHashMap.newKeySet();

  private final LongConsumer gone;
  private final Object[] stripes = new Object[STRIPES];
  private final Object forcing = new Object();
  private final AtomicLong written = new AtomicLong();
  private boolean prepared;

  /** A chunk's file in {@code tmp/}. */
  private record Waiting(Path file, int length) {}

  /** The store in {@code directory} of the local file system, which the first change makes. */
  public DirectoryChunkStore(Path directory) {
    this(new LocalDisk(), directory);
  }

  public DirectoryChunkStore(Disk disk, Path directory) {
    this(disk, directory, _ -> {});
  }

  /**
   * As above.
   *
   * @param gone is told the length of each chunk that is here no more, whatever took it away
   */
  DirectoryChunkStore(Disk disk, Path directory, LongConsumer gone) {
    this.disk = disk;
    this.gone = gone;
    this.records = new Records(disk);
    this.unfinished = directory.resolve("tmp");
    this.named = directory.resolve("sha256");
    this.damaged = directory.resolve("damaged");
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Object();
    }
  }

  /** Makes the store ready to be changed, once; the first change does it otherwise. */
  public synchronized void prepare() throws IOException {
    if (prepared) {
      return;
    }
    records.makeDirectory(unfinished);
    records.makeDirectory(named);
    for (Path left : disk.list(unfinished)) {
      disk.delete(left);
    }
    for (Path prefix : disk.list(named)) {
      disk.forceDirectory(prefix);
    }
    disk.forceDirectory(named);
    prepared = true;
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    Set<Digest> missing = new LinkedHashSet<>();
    for (Digest digest : new HashSet<>(digests)) {
      if (!holds(digest)) {
        missing.add(digest);
      }
    }
    return missing;
  }

  @Override
  public boolean holds(Chunk chunk) throws IOException {
    Digest digest = chunk.digest();
    return pending.containsKey(digest) || disk.size(file(digest)) == chunk.storedBytes();
  }

  /** Those that are not here, or might be gone after a power cut. */
  Set<Digest> notLasting(Collection<Digest> digests) throws IOException {
    Set<Digest> missing = new LinkedHashSet<>();
    for (Digest digest : new HashSet<>(digests)) {
      if (pending.containsKey(digest)
          || doubtful.contains(named)
          || doubtful.contains(directory(digest))
          || disk.size(file(digest)) <= 0) {
        missing.add(digest);
      }
    }
    return missing;
  }

  @Override
  public boolean put(Digest digest, ByteBuffer stored) throws IOException {
    int length = stored.remaining();
    if (length < 1 || length > Chunk.STORED_BYTES_MAX) {
      throw new IllegalArgumentException("chunk of " + length + " stored bytes");
    }
    prepare();
    synchronized (stripe(digest)) {
      // A file of another length is damaged, and replaced.
      if (pending.containsKey(digest) || disk.size(file(digest)) == length) {
        stored.position(stored.limit());
        return false;
      }
      Path file = unfinished.resolve(digest.hex() + "-" + written.incrementAndGet());
      try {
        disk.create(file, stored);
        disk.startWriteout(file);
      } catch (IOException e) {
        discard(file, e);
        throw e;
      }
      pending.put(digest, new Waiting(file, length));
      return true;
    }
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    byte[] stored = read(digest);
    if (!Digest.of(ByteBuffer.wrap(stored)).equals(digest)) {
      throw new RegenException.Damaged(
          file(digest) + " is damaged: its bytes are not those of its digest");
    }
    return stored;
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
      Map<Digest, Waiting> now = Map.copyOf(pending);
      try {
        for (Waiting chunk : now.values()) {
          disk.force(chunk.file());
        }
        for (Map.Entry<Digest, Waiting> chunk : now.entrySet()) {
          name(chunk.getKey(), chunk.getValue());
        }
        forceNames();
      } catch (IOException e) {
        // After a failed force the kernel may call bytes clean that never arrived: start over.
        doubtful.addAll(unforced);
        now.forEach((digest, chunk) -> forget(digest, chunk, e));
        throw e;
      }
      now.keySet().forEach(pending::remove);
    }
  }

  /** {@inheritDoc} Here that is {@code damaged/}. */
  @Override
  public boolean setAside(Digest digest) throws IOException {
    synchronized (stripe(digest)) {
      long length = disk.size(file(digest));
      if (length < 0) {
        return false;
      }
      prepare();
      records.makeDirectory(damaged);
      disk.rename(file(digest), damaged.resolve(digest.hex()));
      tellGone(length);
      disk.forceDirectory(damaged);
      disk.forceDirectory(directory(digest));
      return true;
    }
  }

  /** Keeps a copy of damaged bytes where {@link #setAside} puts them. */
  void keepAside(Digest digest, byte[] bytes) throws IOException {
    records.makeDirectory(damaged);
    records.replace(damaged.resolve(digest.hex()), bytes);
  }

  @Override
  public void delete(Collection<Digest> digests) throws IOException {
    prepare();
    for (Digest digest : digests) {
      synchronized (stripe(digest)) {
        Waiting waiting = pending.get(digest);
        long length = waiting == null ? disk.size(file(digest)) : waiting.length();
        if (length < 0) {
          continue;
        }
        if (waiting != null) {
          disk.delete(waiting.file());
          pending.remove(digest);
        }
        disk.delete(file(digest));
        tellGone(length);
      }
    }
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    pending.keySet().forEach(each);
    for (Path prefix : disk.list(named)) {
      for (Path file : disk.list(prefix)) {
        Digest digest = digestOf(file);
        if (digest != null && !pending.containsKey(digest)) {
          each.accept(digest);
        }
      }
    }
  }

  /**
   * Named chunks in ascending order; reads no more directories than it needs.
   *
   * @param after the last one that is left out, null to begin
   * @param max the most to return
   */
  public List<Digest> page(@Nullable Digest after, int max) throws IOException {
    List<Digest> page = new ArrayList<>();
    String from = after == null ? "" : after.hex();
    for (Path prefix : disk.list(named)) {
      if (page.size() >= max) {
        break;
      }
      String name = prefix.getFileName().toString();
      if (name.compareTo(from.substring(0, Math.min(from.length(), PREFIX_CHARACTERS))) >= 0) {
        addTo(page, prefix, from, max);
      }
    }
    return page;
  }

  private void addTo(List<Digest> page, Path prefix, String from, int max) throws IOException {
    for (Path file : disk.list(prefix)) {
      Digest digest = digestOf(file);
      if (digest != null && digest.hex().compareTo(from) > 0 && page.size() < max) {
        page.add(digest);
      }
    }
  }

  /** The length of each named chunk; takes a look at each. */
  void lengths(LongConsumer each) throws IOException {
    for (Path prefix : disk.list(named)) {
      for (Path file : disk.list(prefix)) {
        long length = digestOf(file) == null ? 0 : disk.size(file);
        if (length > 0) {
          each.accept(length);
        }
      }
    }
  }

  /** Where the chunk is once it has been forced. */
  public Path file(Digest digest) {
    return directory(digest).resolve(digest.hex());
  }

  private boolean holds(Digest digest) throws IOException {
    return pending.containsKey(digest) || disk.size(file(digest)) > 0;
  }

  private byte[] read(Digest digest) throws IOException {
    try {
      Waiting waiting = pending.get(digest);
      if (waiting != null) {
        try {
          return disk.read(waiting.file(), Chunk.STORED_BYTES_MAX);
        } catch (NoSuchFileException e) {
          // It got its own name just now.
        }
      }
      return disk.read(file(digest), Chunk.STORED_BYTES_MAX);
    } catch (NoSuchFileException e) {
      throw new RegenException.Damaged("the chunk " + file(digest) + " is missing");
    } catch (FileTooLargeException e) {
      throw new RegenException.Damaged(e.getMessage() + "; no chunk is that long");
    }
  }

  private void name(Digest digest, Waiting chunk) throws IOException {
    Path directory = directory(digest);
    if (disk.size(directory) < 0) {
      disk.makeDirectories(directory);
      unforced.add(named);
    }
    unforced.add(directory);
    disk.rename(chunk.file(), file(digest));
  }

  private void forceNames() throws IOException {
    for (Path directory : Set.copyOf(unforced)) {
      disk.forceDirectory(directory);
      unforced.remove(directory);
      doubtful.remove(directory);
    }
  }

  /** Under its own name too, if it came so far: that name may never last. */
  private void forget(Digest digest, Waiting chunk, IOException cause) {
    synchronized (stripe(digest)) {
      if (chunk.equals(pending.get(digest))) {
        discard(chunk.file(), cause);
        discard(file(digest), cause);
        pending.remove(digest);
        tellGone(chunk.length());
      }
    }
  }

  private void tellGone(long length) {
    if (length > 0) {
      gone.accept(length);
    }
  }

  private void discard(Path file, IOException cause) {
    try {
      disk.delete(file);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private Path directory(Digest digest) {
    return named.resolve(digest.hex().substring(0, PREFIX_CHARACTERS));
  }

  private Object stripe(Digest digest) {
    return stripes[Math.floorMod(digest.hashCode(), STRIPES)];
  }

  private static @Nullable Digest digestOf(Path file) {
    try {
      return new Digest(file.getFileName().toString());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
