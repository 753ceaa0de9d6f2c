package dev.regen.snapshot.remote;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.PackedChunkStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store of chunks, and of small named records about them, that other hosts may use at the same
 * time. Safe for use by several threads at once.
 *
 * <p>A push asks what is {@link #missing}, {@link #put}s that, and writes a record last, which
 * names all of it. What it asked about is leased meanwhile: for some minutes nobody can {@link
 * #delete} it. Asking again renews the lease.
 *
 * <p>Every call may fail with a plain {@link IOException} (the network, the disk), after which a
 * change may have happened or not; each may be called again. {@link RegenException.Refused} means
 * that the store will not, for a reason that the same call meets again: it is full or over its
 * quota, the token is wrong, the chunk is leased.
 */
public interface RemoteStore extends Closeable {
  /** The most digests one question to a server names; {@link #missing} takes any number. */
  int DIGESTS_MAX = 10_000;

  /** The most bytes of a record. */
  int RECORD_BYTES_MAX = 64 << 20;

  /**
   * Refuses what is too long for a record.
   *
   * @throws RegenException.BadInput if it is more than {@link #RECORD_BYTES_MAX}
   */
  static void checkRecord(byte[] content) throws RegenException {
    if (content.length > RECORD_BYTES_MAX) {
      throw new RegenException.BadInput(
          "a record of " + content.length + " bytes; at most " + RECORD_BYTES_MAX + " fit");
    }
  }

  /** For {@link #replaceRecord}: only where there is no such record. */
  String ABSENT = "*";

  /**
   * Names this store, by whatever way it is reached and wherever it is moved: 32 hexadecimal
   * digits.
   */
  String id() throws IOException;

  /** What did not work since this store was opened, and was borne, in words. */
  default List<String> troubles() {
    return List.of();
  }

  /**
   * How many chunks are put, or got, at once, at most.
   *
   * @param bytes all their chunks' together
   */
  record Batch(int chunks, int bytes) {
    /** The agent's heap is small, and each chunk is in it about twice. */
    public static final Batch USUAL = new Batch(48, 24 << 20);
  }

  /** How many calls at once serve this store best; one that gathers chunks wants many. */
  default Batch batch() {
    return Batch.USUAL;
  }

  /** How its servers bear what is asked of them. */
  default Load load() {
    return Load.one(batch().chunks());
  }

  /** Those of {@code digests} that this store does not have; all of them are leased. */
  Set<Digest> missing(Collection<Digest> digests) throws IOException;

  /**
   * Stores a chunk, or finds that it is there; it survives a power cut once this has returned. If
   * the store's copy was damaged it is replaced.
   *
   * @param stored the chunk's bytes from position to limit, read to their end
   * @throws RegenException.BadInput if they are not those that {@code chunk} names
   * @throws RegenException.Refused if there is no room; the chunk is then missing
   */
  void put(ChunkName chunk, ByteBuffer stored) throws IOException;

  /** A chunk's bytes, when a store wants them. */
  @FunctionalInterface
  interface Late {
    /**
     * Its bytes, already compared with its digest; never called by a thread that is interrupted.
     */
    byte[] read() throws IOException;
  }

  /**
   * Whether {@link #put(ChunkName, Late)} reads when it sends, in a thread of its own, so that who
   * waits has no bytes in memory.
   */
  default boolean readsLate() {
    return false;
  }

  /**
   * As the other {@code put}.
   *
   * @throws IOException what {@code stored} threw, too
   */
  default void put(ChunkName chunk, Late stored) throws IOException {
    put(chunk, ByteBuffer.wrap(stored.read()));
  }

  /**
   * A chunk's bytes, compared with its digest before they are returned.
   *
   * @throws RegenException.NotFound if it is not there
   * @throws RegenException.Damaged if its bytes or their number are others
   */
  byte[] get(Digest digest, int sizeBytes) throws IOException;

  /**
   * As above, into memory of the caller's, whose first {@code sizeBytes} are the chunk's when this
   * has returned, and anything when it has thrown. Nobody writes to it after either.
   *
   * @param into at least {@code sizeBytes} long
   */
  default void get(Digest digest, int sizeBytes, byte[] into) throws IOException {
    System.arraycopy(get(digest, sizeBytes), 0, into, 0, sizeBytes);
  }

  /**
   * As {@link #get(Digest, int)}, of any length.
   *
   * @throws RegenException.NotFound if it is not there
   * @throws RegenException.Damaged if its bytes are others
   */
  byte[] get(Digest digest) throws IOException;

  /**
   * Some of a chunk's bytes. They may be wrong: only a whole chunk can be compared with its digest.
   *
   * @param length at least 1
   * @throws RegenException.NotFound if it is not there
   * @throws RegenException.BadInput if it ends before {@code offset + length}
   */
  byte[] get(Digest digest, int offset, int length) throws IOException;

  /**
   * Where a chunk's bytes lie in a file of this host, not compared with anything; empty if they do
   * not. They may be moved at any time: the file is gone then, or read to its end as it was.
   */
  default Optional<PackedChunkStore.Place> place(Digest digest) throws IOException {
    return Optional.empty();
  }

  /**
   * Removes a chunk if it is there; after a power cut it may be there again.
   *
   * @throws RegenException.Refused if it is leased
   */
  void delete(Digest digest) throws IOException;

  /**
   * Removes chunks that are there, as {@link #delete(Digest)} does.
   *
   * @return those that are leased and so stay, or, where that takes two steps, are only marked
   */
  default Set<Digest> delete(Collection<Digest> digests) throws IOException {
    Set<Digest> left = ConcurrentHashMap.newKeySet();
    Parallel.run(
        digests,
        digest -> {
          try {
            delete(digest);
          } catch (RegenException.Refused e) {
            left.add(digest);
          }
        });
    return left;
  }

  /**
   * Whether the first {@link #delete} of a chunk marks it, and only a later one removes it, when
   * nobody can count on it any more.
   */
  default boolean deletesInTwoSteps() {
    return false;
  }

  /**
   * Looks whether all servers that this store is made of answer: else a change may miss one.
   *
   * @throws IOException what the first that does not failed with
   */
  default void requireAll() throws IOException {
    id();
  }

  /**
   * From now on this process counts on what is here as of now; on what it found or put before only
   * until it closes what this returns. Whoever keeps a store open for long does this from time to
   * time: a deletion may wait for everybody who counts on what was before it.
   */
  default Closeable turn() throws IOException {
    return () -> {};
  }

  /** The stores that this one is made of; empty if it is one. */
  default Optional<Shards> shards() {
    return Optional.empty();
  }

  /** As {@link #list}, and names those too that are only marked. */
  default void listAll(Consumer<Digest> each) throws IOException {
    list(each);
  }

  /**
   * Names every chunk, each once, in ascending order; those that come meanwhile may be left out.
   */
  void list(Consumer<Digest> each) throws IOException;

  /** A record's content, or empty if there is none of that name. */
  default Optional<byte[]> record(String name) throws IOException {
    return record(name, RECORD_BYTES_MAX);
  }

  /**
   * As above, of a kind that is never longer than {@code limitBytes}.
   *
   * @throws RegenException.Damaged if it is longer
   */
  Optional<byte[]> record(String name, int limitBytes) throws IOException;

  /**
   * Stores a record, at most {@link #RECORD_BYTES_MAX} bytes, in place of one of that name; it
   * survives a power cut once this has returned true.
   *
   * @param name up to 255 letters, digits and {@code ._-}, in parts with {@code /} between; no part
   *     begins with a dot
   * @param ifTag replace only the record with this {@link #tag}; {@link #ABSENT}: only if there is
   *     none; null: whatever is there
   * @return false if another record was there, or none; nothing has changed then
   */
  boolean replaceRecord(String name, byte[] content, @Nullable String ifTag) throws IOException;

  /** Removes a record for good, if it is there. */
  void deleteRecord(String name) throws IOException;

  /** The names of the records that begin with {@code prefix}, sorted. */
  List<String> records(String prefix) throws IOException;

  /** What {@link #replaceRecord} compares: the digest of a record's content. */
  static String tag(byte[] content) {
    return Digest.of(ByteBuffer.wrap(content)).hex();
  }

  /** Whether a chunk may have this length. */
  static boolean fits(long sizeBytes) {
    return sizeBytes >= 1 && sizeBytes <= Chunk.STORED_BYTES_MAX;
  }
}
