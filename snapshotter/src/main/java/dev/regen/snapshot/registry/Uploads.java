package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Blobs on their way into repositories. What a client was told that arrived survives this process,
 * and any manager of the same store can go on with it; one that had not seen its bytes reads them
 * again for the digest.
 */
public final class Uploads {
  /** For so long an upload is kept that nobody goes on with. */
  public static final Duration LEASE = Duration.ofDays(1);

  /**
   * What a request sends is lost for no more than this if the manager is killed; well within the
   * lease that the store gives the chunks of an upload.
   */
  private static final long RENEW_NANOS = Duration.ofSeconds(10).toNanos();

  private static final Duration LOCK_LIMIT = Duration.ofSeconds(5);
  private static final int LIVE_MAX = 1_000;
  private static final Pattern ID = Pattern.compile(Names.SHORT);

  private final RemoteStore store;
  private final InstantSource clock;
  private final SegmentBuffers buffers;
  private final BlobReader reader;
  private final Blobs blobs;
  private final Uses uses;
  private final Map<String, Live> lives = new ConcurrentHashMap<>();

  /** What this process knows of an upload beside its record. */
  private static final class Live {
    private final ReentrantLock lock = new ReentrantLock();
    private ContentDigest.Algorithm algorithm = ContentDigest.Algorithm.SHA256;

    /** Of the first bytes; null if this process has not seen them all. */
    private @Nullable MessageDigest hasher;

    private long hashed;

    /** Which algorithm the blob's digest will be of; asked before its first byte. */
    void expect(ContentDigest.Algorithm expected) {
      algorithm = expected;
    }

    /** One that was given so many bytes, the first of the upload; null if there is none. */
    @Nullable MessageDigest hasher(long bytes) {
      if (bytes == 0) {
        return algorithm.hasher();
      }
      return hashed == bytes ? hasher : null;
    }

    void forget() {
      know(null, 0);
    }

    void know(@Nullable MessageDigest known, long bytes) {
      hasher = known;
      hashed = bytes;
    }
  }

  /** What arrives of a client. */
  @FunctionalInterface
  public interface Body {
    /**
     * The next bytes, to be read before the next call; none if none came for about a second; null
     * at the end.
     *
     * @throws Gone if the client went away: what arrived before is kept
     */
    @Nullable ByteBuffer next() throws IOException;
  }

  /** A client that ended before its body did. */
  public static final class Gone extends IOException {
    private static final long serialVersionUID = 1;

    public Gone(String message, Throwable cause) {
      super(message, cause);
    }
  }

  Uploads(
      RemoteStore store,
      InstantSource clock,
      SegmentBuffers buffers,
      BlobReader reader,
      Blobs blobs,
      Uses uses) {
    this.store = store;
    this.clock = clock;
    this.buffers = buffers;
    this.reader = reader;
    this.blobs = blobs;
    this.uses = uses;
  }

  /**
   * Begins an upload; returns its id.
   *
   * @param algorithm of the digest that it will have; where it has another in the end, or another
   *     manager ends it, its bytes are read again
   */
  public String begin(RepositoryName repository, ContentDigest.Algorithm algorithm)
      throws IOException {
    byte[] random = new byte[16];
    ThreadLocalRandom.current().nextBytes(random);
    String id = HexFormat.of().formatHex(random);
    UploadRecord record = new UploadRecord(repository, List.of(), clock.instant());
    store.replaceRecord(name(id), record.bytes(), RemoteStore.ABSENT);
    live(id).expect(algorithm);
    return id;
  }

  /**
   * How many bytes of an upload are stored.
   *
   * @throws RegistryException BLOB_UPLOAD_UNKNOWN if the repository has no such upload
   */
  public long bytes(RepositoryName repository, String id) throws IOException {
    return find(repository, id).record().bytesStored();
  }

  /**
   * Appends to an upload; all of it is stored when this returns, and what arrived before it throws
   * something.
   *
   * @param from where in the blob the body belongs; negative: behind what is there
   * @return how many bytes are stored now
   * @throws RegistryException RANGE_INVALID if that is not where the last one ended;
   *     BLOB_UPLOAD_UNKNOWN; BLOB_UPLOAD_INVALID if another request is appending to it
   */
  public long append(RepositoryName repository, String id, long from, Body body)
      throws IOException {
    find(repository, id);
    Live live = live(id);
    lock(live);
    try {
      Found found = find(repository, id);
      long stored = found.record().bytesStored();
      if (from >= 0 && from != stored) {
        throw new RegistryException(
            RegistryException.Code.RANGE_INVALID,
            "the next byte of this upload is " + stored + ", not " + from);
      }
      return append(id, live, found, body);
    } finally {
      live.lock.unlock();
    }
  }

  /**
   * Makes a blob of an upload, if its bytes have this digest; the upload is gone then, and also if
   * they have not.
   *
   * @throws RegistryException DIGEST_INVALID if they have another; BLOB_UPLOAD_UNKNOWN
   */
  public StoredBlob finish(RepositoryName repository, String id, ContentDigest digest)
      throws IOException {
    find(repository, id);
    Live live = live(id);
    lock(live);
    try {
      UploadRecord record = find(repository, id).record();
      StoredBlob blob =
          new StoredBlob(digest, record.bytesStored(), StoredBlob.Form.STORED, record.segments());
      ContentDigest is = digest(live, blob);
      if (!is.equals(digest)) {
        store.deleteRecord(name(id));
        lives.remove(id);
        throw new RegistryException(
            RegistryException.Code.DIGEST_INVALID,
            "what arrived has the digest " + is + ", not " + digest,
            new JsonObject().with("digest", digest.toString()));
      }
      blobs.add(repository, blob);
      store.deleteRecord(name(id));
      lives.remove(id);
      return blob;
    } finally {
      live.lock.unlock();
    }
  }

  /**
   * Forgets an upload.
   *
   * @throws RegistryException BLOB_UPLOAD_UNKNOWN if the repository has no such upload
   */
  public void cancel(RepositoryName repository, String id) throws IOException {
    find(repository, id);
    store.deleteRecord(name(id));
    lives.remove(id);
  }

  private record Found(UploadRecord record, String tag) {}

  private Found find(RepositoryName repository, String id) throws IOException {
    Optional<byte[]> bytes =
        ID.matcher(id).matches()
            ? store.record(name(id), UploadRecord.BYTES_MAX)
            : Optional.empty();
    if (bytes.isPresent()) {
      UploadRecord record = UploadRecord.parse(name(id), bytes.get());
      if (record.repository().equals(repository)) {
        return new Found(record, RemoteStore.tag(bytes.get()));
      }
    }
    throw new RegistryException(
        RegistryException.Code.BLOB_UPLOAD_UNKNOWN,
        "repository " + repository + " has no such upload: it was ended or cancelled; begin anew");
  }

  private long append(String id, Live live, Found found, Body body) throws IOException {
    UploadRecord before = found.record();
    long bytes = before.bytesStored();
    MessageDigest hasher = live.hasher(bytes);
    live.forget();
    String tag = found.tag();
    try (Uses.Use _ = uses.begin();
        Segments segments =
            new Segments(
                store, buffers, reader, before.repository(), id, before.segments().size())) {
      Gone gone = null;
      long renewedAt = System.nanoTime();
      try {
        for (ByteBuffer some = body.next(); some != null; some = body.next()) {
          if (hasher != null) {
            hasher.update(some.duplicate());
          }
          bytes += some.remaining();
          if (some.hasRemaining()) {
            segments.write(some);
          } else {
            segments.makeRoom();
          }
          if (System.nanoTime() - renewedAt > RENEW_NANOS) {
            renewedAt = System.nanoTime();
            tag = renew(id, tag, before, segments.stored());
          }
        }
      } catch (Gone e) {
        gone = e;
      }
      segments.finish();
      renew(id, tag, before, segments.stored());
      live.know(hasher, bytes);
      if (gone != null) {
        throw gone;
      }
      return bytes;
    }
  }

  /** Says how far an upload is; returns what the record is to be recognized by from then on. */
  private String renew(String id, String tag, UploadRecord before, List<Chunk> further)
      throws IOException {
    List<Chunk> segments = new ArrayList<>(before.segments());
    segments.addAll(further);
    byte[] bytes = new UploadRecord(before.repository(), segments, clock.instant()).bytes();
    if (!store.replaceRecord(name(id), bytes, tag)) {
      throw busy();
    }
    return RemoteStore.tag(bytes);
  }

  private ContentDigest digest(Live live, StoredBlob blob) throws IOException {
    ContentDigest.Algorithm algorithm = blob.digest().algorithm();
    MessageDigest hasher = live.algorithm == algorithm ? live.hasher(blob.sizeBytes()) : null;
    if (hasher == null) {
      hasher = algorithm.hasher();
      reader.read(blob, 0, blob.sizeBytes(), hasher::update);
    }
    return algorithm.of(hasher);
  }

  private Live live(String id) {
    if (lives.size() > LIVE_MAX) {
      // Whoever goes on with one of these has its bytes read again.
      lives.keySet().stream().limit(LIVE_MAX / 10).toList().forEach(lives::remove);
    }
    return lives.computeIfAbsent(id, _ -> new Live());
  }

  private static void lock(Live live) throws IOException {
    try {
      if (!live.lock.tryLock(LOCK_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw busy();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private static RegistryException busy() {
    return new RegistryException(
        RegistryException.Code.BLOB_UPLOAD_INVALID,
        "another request goes on with this upload; ask for its state, and try again");
  }

  private static String name(String id) {
    return Names.UPLOADS + id;
  }
}
