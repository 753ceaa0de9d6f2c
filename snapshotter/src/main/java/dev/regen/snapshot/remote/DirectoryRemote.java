package dev.regen.snapshot.remote;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A remote store in a directory: what a storage server serves, and {@code dir:/path} without one.
 *
 * <p>Chunks lie in {@code chunks/} as {@link PackedChunkStore} keeps them: small ones share files.
 * Records lie in {@code records/}. Puts that come at the same time are forced together. One process
 * at a time may have it open.
 */
public final class DirectoryRemote implements RemoteStore {
  /** How long at least a chunk that somebody asked about is not deleted. */
  public static final Duration LEASE = Duration.ofMinutes(10);

  private static final int VERSION = 1;
  private static final String IDENTITY = "store.json";
  private static final int IDENTITY_BYTES_MAX = 4096;
  private static final int ADDING_MAX = 4;

  private final Disk disk;
  private final Disk.Lock lock;
  private final Leases leases;
  private final Room room;
  private final String id;
  private final PackedChunkStore chunks;
  private final ForcedTogether forced;
  private final RecordFiles records;
  private final AtomicLong count = new AtomicLong();

  /** Each of those who add may have a pack in memory. */
  private final Semaphore adding = new Semaphore(ADDING_MAX);

  /** Held by who sets a damaged chunk aside. */
  private final Object mending = new Object();

  /** Why chunks last failed to get to the disk: what others lost by it is told with it. */
  private volatile @Nullable IOException failure;

  /**
   * Opens the store in {@code directory}, and makes it if need be. Takes one look at each file.
   *
   * @param quotaBytes the most that chunks and records may hold together
   * @throws RegenException.Refused if another process has it open, or a newer Regen made it
   */
  public DirectoryRemote(Path directory, long quotaBytes) throws IOException {
    this(new LocalDisk(), directory, quotaBytes, LEASE, System::nanoTime);
  }

  /**
   * As above.
   *
   * @param lease how long at least a chunk that somebody asked about is not deleted
   */
  public DirectoryRemote(Path directory, long quotaBytes, Duration lease) throws IOException {
    this(new LocalDisk(), directory, quotaBytes, lease, System::nanoTime);
  }

  DirectoryRemote(Disk disk, Path directory, long quotaBytes, Duration lease, LongSupplier nanoTime)
      throws IOException {
    this.disk = disk;
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw new RegenException.BadInput(directory + " is a file; a store is a directory");
    }
    new Records(disk).makeDirectory(directory);
    this.lock =
        disk.tryLock(directory.resolve("lock"))
            .orElseThrow(
                () -> new RegenException.Refused(directory + " is in use by another process"));
    try {
      this.id = identity(directory.resolve(IDENTITY));
      this.room = new Room(directory, quotaBytes);
      this.leases = new Leases(lease, nanoTime);
      this.chunks = new PackedChunkStore(disk, directory.resolve("chunks"), this::forget);
      this.forced = new ForcedTogether(chunks::force);
      chunks.prepare();
      this.records = new RecordFiles(disk, directory.resolve("records"), room);
      takeStock();
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** Whether a directory is such a store already; nothing is made or opened. */
  static boolean isStore(Path directory) {
    return Files.exists(directory.resolve(IDENTITY));
  }

  @Override
  public String id() {
    return id;
  }

  public long chunkCount() {
    return count.get();
  }

  /** What chunks and records hold, in bytes. */
  public long bytes() {
    return room.bytes();
  }

  public long quotaBytes() {
    return room.quotaBytes();
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    // Leased before the look: a deletion then comes before both, or not at all.
    leases.lease(digests);
    return lost(digests);
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    store(chunk, stored);
  }

  @Override
  public void put(ChunkName chunk, Late stored) throws IOException {
    addCompared(chunk.digest(), ByteBuffer.wrap(stored.read()));
    forceOne(chunk.digest());
  }

  /**
   * As {@link #put(ChunkName, ByteBuffer)}; returns whether the chunk is new here, or took a
   * damaged one's place.
   */
  public boolean store(ChunkName chunk, ByteBuffer stored) throws IOException {
    boolean isNew = add(chunk, stored);
    forceOne(chunk.digest());
    return isNew;
  }

  /**
   * As {@link #store}, of which {@link #force} is the other half: before that the chunk may get
   * lost.
   */
  public boolean add(ChunkName chunk, ByteBuffer stored) throws IOException {
    Digest digest = chunk.digest();
    if (stored.remaining() != chunk.sizeBytes() || !Digest.of(stored.duplicate()).equals(digest)) {
      throw new RegenException.BadInput("these are not the bytes of the chunk " + digest);
    }
    return addCompared(digest, stored);
  }

  private boolean addCompared(Digest digest, ByteBuffer stored) throws IOException {
    leases.lease(Set.of(digest));
    try {
      if (isWhole(digest)) {
        stored.position(stored.limit());
        return false;
      }
      return addNew(digest, stored);
    } catch (IOException e) {
      throw fullOrAsItIs(e);
    }
  }

  private void forceOne(Digest digest) throws IOException {
    if (!force(Set.of(digest)).isEmpty()) {
      throw lossCause();
    }
  }

  /**
   * Returns when those that were added survive a power cut, except for those it returns.
   *
   * @return those that got lost: they are to be put again
   * @throws IOException if nothing is known about any of them
   */
  public Set<Digest> force(Collection<Digest> digests) throws IOException {
    try {
      return lost(digests);
    } catch (IOException e) {
      throw fullOrAsItIs(e);
    }
  }

  /** Why {@link #force} lost chunks, as far as that is known. */
  public IOException lossCause() {
    return fullOrAsItIs(new IOException("the chunk did not reach the disk", failure));
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    byte[] stored = whole(digest);
    if (stored.length != sizeBytes) {
      throw new RegenException.Damaged(
          digest + " is " + stored.length + " bytes long, not " + sizeBytes);
    }
    return stored;
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return whole(digest);
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    byte[] stored = whole(digest);
    if (offset < 0 || length < 1 || length > stored.length - offset) {
      throw new RegenException.BadInput(
          digest + " has " + stored.length + " bytes, not " + length + " from " + offset);
    }
    return Arrays.copyOfRange(stored, offset, offset + length);
  }

  /** As declared there, and it lasts; empty if it is not here. */
  @Override
  public Optional<PackedChunkStore.Place> place(Digest digest) throws IOException {
    PackedChunkStore.Place place = chunks.place(digest);
    if (place == null && chunks.missing(Set.of(digest)).isEmpty()) {
      forced.force();
      place = chunks.place(digest);
    }
    return Optional.ofNullable(place);
  }

  @Override
  public void delete(Digest digest) throws IOException {
    if (!delete(Set.of(digest)).isEmpty()) {
      throw new RegenException.Refused("the chunk " + digest + " is leased; try again later");
    }
  }

  @Override
  public Set<Digest> delete(Collection<Digest> digests) throws IOException {
    Set<Digest> leased = leases.unlessLeased(digests, chunks::remove);
    chunks.settle();
    return leased;
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    for (List<Digest> page = page(null); !page.isEmpty(); page = page(page.getLast())) {
      page.forEach(each);
    }
  }

  /** The next chunks in ascending order, at most {@link #DIGESTS_MAX}; none at the end. */
  public List<Digest> page(@Nullable Digest after) throws IOException {
    return chunks.page(after, DIGESTS_MAX);
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    return records.read(name, limitBytes);
  }

  /** A record's length in bytes, or -1 if there is none of that name. */
  public long recordBytes(String name) throws IOException {
    return records.bytes(name);
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    try {
      return records.replace(name, content, ifTag);
    } catch (IOException e) {
      throw fullOrAsItIs(e);
    }
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    records.delete(name);
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    return records.list(prefix);
  }

  /** Lets other processes open the directory; what was put lasts already. */
  @Override
  public void close() {
    lock.close();
  }

  private String identity(Path file) throws IOException {
    byte[] sealed;
    try {
      sealed = disk.read(file, IDENTITY_BYTES_MAX);
    } catch (NoSuchFileException e) {
      UUID made = UUID.randomUUID();
      ByteBuffer bytes = ByteBuffer.allocate(16);
      bytes.putLong(made.getMostSignificantBits()).putLong(made.getLeastSignificantBits());
      JsonObject content = new JsonObject().with("id", HexFormat.of().formatHex(bytes.array()));
      sealed = SealedRecord.seal(VERSION, content);
      new Records(disk).replace(file, sealed);
    }
    return SealedRecord.open(file, sealed, VERSION).string("id");
  }

  private void takeStock() throws IOException {
    chunks.lengths(length -> {
      room.found(length);
      count.incrementAndGet();
    });
  }

  /** Those that are not here for good: forces them first if need be, all at once. */
  private Set<Digest> lost(Collection<Digest> digests) throws IOException {
    Set<Digest> lost = chunks.notLasting(digests);
    if (!lost.isEmpty() && chunks.missing(lost).size() < lost.size()) {
      try {
        forced.force();
      } catch (IOException e) {
        failure = e;
        throw e;
      }
      lost = chunks.notLasting(lost);
    }
    return lost;
  }

  /** Whether the chunk is here; a damaged copy is set aside, so that this one takes its place. */
  private boolean isWhole(Digest digest) throws IOException {
    if (isMissing(digest)) {
      return false;
    }
    if (readsWell(digest)) {
      return true;
    }
    synchronized (mending) {
      // Another may have set it aside meanwhile, and put a whole one.
      if (isMissing(digest)) {
        return false;
      }
      if (readsWell(digest)) {
        return true;
      }
      if (!chunks.setAside(digest)) {
        chunks.delete(Set.of(digest));
      }
      return false;
    }
  }

  private boolean isMissing(Digest digest) throws IOException {
    return !chunks.missing(Set.of(digest)).isEmpty();
  }

  private boolean readsWell(Digest digest) throws IOException {
    try {
      chunks.get(digest);
      return true;
    } catch (RegenException.Damaged e) {
      return false;
    }
  }

  private boolean addNew(Digest digest, ByteBuffer stored) throws IOException {
    int size = stored.remaining();
    room.take(size);
    count.incrementAndGet();
    boolean isNew = false;
    adding.acquireUninterruptibly();
    try {
      isNew = chunks.put(digest, stored);
    } catch (IOException e) {
      failure = e;
      throw e;
    } finally {
      adding.release();
      if (!isNew) {
        forget(size);
      }
    }
    return isNew;
  }

  private byte[] whole(Digest digest) throws IOException {
    if (isMissing(digest)) {
      throw new RegenException.NotFound("no chunk " + digest + " here");
    }
    return chunks.get(digest);
  }

  private void forget(long bytes) {
    room.give(bytes);
    count.decrementAndGet();
  }

  private IOException fullOrAsItIs(IOException cause) {
    return cause instanceof RegenException
        ? cause
        : DiskFullException.behind(cause).<IOException>map(room::full).orElse(cause);
  }
}
