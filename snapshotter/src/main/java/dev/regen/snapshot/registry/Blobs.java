package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The blobs of repositories.
 *
 * <p>A blob that no manifest names is collected when its newest record is older than {@link
 * #KEPT_UNUSED}. Whoever relies on one being there {@link #renew}s it, which writes another record
 * if the newest is half that old: what collection has seen is not that one.
 */
public final class Blobs {
  /** For so long a blob is kept that no manifest names (yet). */
  public static final Duration KEPT_UNUSED = Duration.ofDays(1);

  static final int RECORD_BYTES_MAX = 48 << 20;
  private static final long CACHE_WEIGHT_MAX = 24 << 20;
  private static final long CHUNK_WEIGHT = 200;
  private static final int DAMAGED_MAX = 10_000;

  private final RemoteStore store;
  private final InstantSource clock;
  private final RecentlyUsed<StoredBlob> read = new RecentlyUsed<>(CACHE_WEIGHT_MAX);

  /** Those that could not be read whole; who may push one is told that it is not there. */
  private final Set<ContentDigest> damaged = ConcurrentHashMap.newKeySet();

  Blobs(RemoteStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  public Optional<StoredBlob> find(RepositoryName repository, ContentDigest digest)
      throws IOException {
    return newest(repository, digest).map(Newest::blob);
  }

  private record Newest(StoredBlob blob, String record) {}

  private Optional<Newest> newest(RepositoryName repository, ContentDigest digest)
      throws IOException {
    // Another record may have taken the newest one's place since the list was made.
    for (int i = 0; i < 2; i++) {
      for (String record : store.records(Names.blob(repository, digest)).reversed()) {
        Optional<StoredBlob> blob = read(record, digest);
        if (blob.isPresent()) {
          return Optional.of(new Newest(blob.get(), record));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * As {@link #find}.
   *
   * @throws RegistryException BLOB_UNKNOWN if it is not there
   */
  public StoredBlob require(RepositoryName repository, ContentDigest digest) throws IOException {
    return find(repository, digest).orElseThrow(() -> unknown(repository, digest));
  }

  /** From now on the repository has this blob, all of whose chunks are in the store. */
  public void add(RepositoryName repository, StoredBlob blob) throws IOException {
    String record = Names.blob(repository, blob.digest()) + Stamp.at(clock.instant()).text();
    store.replaceRecord(record, blob.bytes(), null);
    damaged.remove(blob.digest());
    remember(record, blob);
  }

  /**
   * As {@link #find}; the blob is kept for another {@link #KEPT_UNUSED}, or half of it, even if no
   * manifest names it.
   */
  public Optional<StoredBlob> renew(RepositoryName repository, ContentDigest digest)
      throws IOException {
    if (damaged.contains(digest)) {
      return Optional.empty();
    }
    Optional<Newest> newest = newest(repository, digest);
    if (newest.isPresent()) {
      Duration age = Stamp.of(newest.get().record()).age(clock.instant());
      if (age.compareTo(KEPT_UNUSED.dividedBy(2)) > 0) {
        add(repository, newest.get().blob());
      }
    }
    return newest.map(Newest::blob);
  }

  /** A chunk of this blob is lost or damaged: from now on a push of it is wanted. */
  public void tellDamaged(ContentDigest digest) {
    if (damaged.size() < DAMAGED_MAX) {
      damaged.add(digest);
    }
  }

  /** Takes a blob out of a repository; returns whether it was there. */
  public boolean remove(RepositoryName repository, ContentDigest digest) throws IOException {
    List<String> records = store.records(Names.blob(repository, digest));
    for (String record : records) {
      store.deleteRecord(record);
    }
    return !records.isEmpty();
  }

  /** What the repository's blobs have together, each counted once. */
  public long bytes(RepositoryName repository) throws IOException {
    long bytes = 0;
    Set<String> counted = new TreeSet<>();
    for (String record : store.records(Names.BLOBS + repository.key() + "/")) {
      ContentDigest digest = Names.digest(record);
      if (counted.add(digest.key())) {
        bytes += read(record, digest).map(StoredBlob::sizeBytes).orElse(0L);
      }
    }
    return bytes;
  }

  /** What a record says; nothing if it is gone by now. */
  Optional<StoredBlob> read(String record, ContentDigest digest) throws IOException {
    @Nullable StoredBlob known = read.get(record);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<byte[]> bytes = store.record(record, RECORD_BYTES_MAX);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    StoredBlob blob = StoredBlob.parse(record, digest, bytes.get());
    remember(record, blob);
    return Optional.of(blob);
  }

  private void remember(String record, StoredBlob blob) {
    read.put(record, blob, (1L + blob.chunks().size()) * CHUNK_WEIGHT);
  }

  /** Says that a repository has no such blob. */
  public static RegistryException unknown(RepositoryName repository, ContentDigest digest) {
    return new RegistryException(
        RegistryException.Code.BLOB_UNKNOWN,
        "repository " + repository + " has no blob " + digest,
        new JsonObject().with("digest", digest.toString()));
  }
}
