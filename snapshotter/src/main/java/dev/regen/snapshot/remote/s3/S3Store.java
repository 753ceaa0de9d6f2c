package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.s3.Spots.Spot;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store in an S3 bucket, of AWS or of anything that speaks as it does. Chunks lie in packs of 8
 * to 16 MiB: those that are put at the same time share one, and a put returns when its pack is
 * stored. So many at once should put, as {@link #batch} says.
 *
 * <p>{@link #missing} costs a list of the packs, and for each pack that is new the reading of its
 * end; nothing is asked chunk by chunk. A chunk found damaged is missing from then on, so that the
 * next push sends it again.
 */
public final class S3Store implements RemoteStore {
  /** How long what somebody asked about is kept, at least. */
  public static final Duration LEASE = Duration.ofMinutes(10);

  /** Some packs on their way at once; they are not in the heap, which is small. */
  private static final Batch BATCH = new Batch(4096, 40 << 20);

  private final BucketUrl url;
  private final boolean make;
  private final Bucket bucket;
  private final StoredPacks packs;
  private final Filling filling;
  private final BucketRecords records;
  private final Leases leases;
  private final Deletion deletion;
  private @Nullable Promise promise;

  /**
   * A store; no connection is made yet.
   *
   * @param make whether it may be made where there is none
   * @throws RegenException.BadInput if the file that says who is trusted is none
   */
  public S3Store(BucketUrl url, boolean make) throws IOException {
    this(url, bucket(url), make, LEASE);
  }

  private static Bucket bucket(BucketUrl url) throws IOException {
    Clients.checkTrusted(url);
    return new Bucket(url);
  }

  S3Store(BucketUrl url, Bucket bucket, boolean make, Duration lease) {
    this.url = url;
    this.make = make;
    this.bucket = bucket;
    this.packs = new StoredPacks(bucket);
    this.filling = new Filling(packs);
    this.records = new BucketRecords(bucket);
    this.leases = new Leases(bucket, lease);
    this.deletion = new Deletion(packs, leases, lease);
  }

  @Override
  public String id() throws IOException {
    return promise().id();
  }

  @Override
  public Batch batch() {
    return BATCH;
  }

  @Override
  public List<String> troubles() {
    List<String> troubles = new ArrayList<>(packs.troubles());
    troubles.addAll(leases.troubles());
    return troubles;
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    promise();
    // Before the look: who deletes sees this lease then, or its mark is seen here.
    leases.hold();
    packs.look();
    Set<Digest> missing = new LinkedHashSet<>();
    for (Digest digest : digests) {
      if (packs.known().find(digest) == null) {
        missing.add(digest);
      }
    }
    return missing;
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    Digest digest = chunk.digest();
    if (stored.remaining() != chunk.sizeBytes() || !Digest.of(stored.duplicate()).equals(digest)) {
      throw new RegenException.BadInput("these are not the bytes of the chunk " + digest);
    }
    fill(chunk, stored.duplicate()::duplicate);
    stored.position(stored.limit());
  }

  @Override
  public boolean readsLate() {
    return true;
  }

  @Override
  public void put(ChunkName chunk, Late stored) throws IOException {
    fill(chunk, () -> ByteBuffer.wrap(stored.read()));
  }

  private void fill(ChunkName chunk, Filling.Bytes bytes) throws IOException {
    promise();
    leases.hold();
    if (packs.known().find(chunk.digest()) == null) {
      filling.put(chunk.digest(), chunk.sizeBytes(), bytes);
    }
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    return fromAny(digest, place -> whole(digest, place, sizeBytes));
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return fromAny(digest, place -> whole(digest, place, place.length()));
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    return fromAny(
        digest,
        place -> {
          if (offset < 0 || length < 1 || length > place.length() - offset) {
            throw new RegenException.BadInput(
                digest + " has " + place.length() + " bytes, not " + length + " from " + offset);
          }
          return packs.read(place, offset, length);
        });
  }

  /** Marks the chunk at first, as {@link #delete(Collection)} does, and says so. */
  @Override
  public void delete(Digest digest) throws IOException {
    if (!delete(List.of(digest)).isEmpty()) {
      throw new RegenException.Refused(
          "the chunk "
              + digest
              + " is marked, and may be deleted when nobody counts on it any more");
    }
  }

  /**
   * Deletes chunks, in two steps. The first call marks them: they are missing from then on, so that
   * who pushes sends them again, but can still be got. A later one, when the lease's time has
   * passed and nobody is left who used the store before the mark, removes them; so the caller looks
   * again in between whether they are wanted. The room comes back when less than half of a pack
   * lives: that half moves into another pack.
   *
   * @return those that are only marked
   */
  @Override
  public Set<Digest> delete(Collection<Digest> digests) throws IOException {
    promise();
    return deletion.delete(digests);
  }

  @Override
  public boolean deletesInTwoSteps() {
    return true;
  }

  @Override
  public void listAll(Consumer<Digest> each) throws IOException {
    packs.look();
    Set<String> names = new TreeSet<>();
    packs.known().forEach(digest -> names.add(digest.hex()));
    packs.marked().keySet().stream()
        .filter(packs::isThere)
        .forEach(spot -> names.add(spot.digest().hex()));
    names.forEach(hex -> each.accept(new Digest(hex)));
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    packs.look();
    Set<String> names = new TreeSet<>();
    packs.known().forEach(digest -> names.add(digest.hex()));
    names.forEach(hex -> each.accept(new Digest(hex)));
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    return records.read(name, limitBytes);
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    return records.replace(name, content, ifTag, promise());
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    records.delete(name);
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    return records.list(prefix);
  }

  @Override
  public Closeable turn() throws IOException {
    Closeable before = leases.turn();
    // After the new lease: what was marked before it is known from here on.
    packs.look();
    return before;
  }

  /** Ends its leases; calls under way fail. */
  @Override
  public void close() {
    leases.end();
    bucket.close();
  }

  private synchronized Promise promise() throws IOException {
    Promise now = promise;
    if (now == null) {
      now = Promise.of(bucket, make, url.oneWriter());
      promise = now;
    }
    return now;
  }

  private interface Reading {
    byte[] from(KnownPacks.Place place) throws IOException;
  }

  /** From one of the places where the chunk is; looks where it may have moved. */
  private byte[] fromAny(Digest digest, Reading reading) throws IOException {
    leases.renew();
    IOException failure = new RegenException.NotFound("no chunk " + digest + " in " + url.words());
    for (int look = 0; look < 2; look++) {
      if (look > 0) {
        packs.look();
      }
      for (KnownPacks.Place place : packs.known().all(digest)) {
        try {
          return reading.from(place);
        } catch (RegenException.NotFound e) {
          // Its pack went just now; what lived of it is in another.
        } catch (RegenException.Damaged e) {
          failure = e;
        }
      }
      if (failure instanceof RegenException.Damaged) {
        break;
      }
    }
    throw failure;
  }

  private byte[] whole(Digest digest, KnownPacks.Place place, int sizeBytes) throws IOException {
    if (place.length() != sizeBytes) {
      throw new RegenException.Damaged(
          digest + " is " + place.length() + " bytes long, not " + sizeBytes);
    }
    for (int attempt = 0; attempt < 2; attempt++) {
      byte[] bytes = packs.read(place);
      if (Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
        return bytes;
      }
    }
    RegenException.Damaged damage =
        new RegenException.Damaged(
            url.words() + " has other bytes under the name of " + digest + "; push it again");
    try {
      packs.mark(List.of(new Spot(place.pack(), digest)));
    } catch (IOException e) {
      damage.addSuppressed(e);
    }
    throw damage;
  }
}
