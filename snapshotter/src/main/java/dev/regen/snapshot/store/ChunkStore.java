package dev.regen.snapshot.store;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Keeps chunks by their digest. Safe for use by several threads at once.
 *
 * <p>{@link #put} may return before a chunk lasts; {@link #force} is what promises that. A chunk
 * that a crash took away, or left in part, is {@link #missing}, never wrong.
 */
public interface ChunkStore {
  /** Those of {@code digests} that this store does not have. One look-up each. */
  Set<Digest> missing(Collection<Digest> digests) throws IOException;

  /** Whether a chunk is here, as far as its name and length tell. */
  default boolean holds(Chunk chunk) throws IOException {
    return missing(Set.of(chunk.digest())).isEmpty();
  }

  /**
   * Looks whether all of {@code digests} are here.
   *
   * @throws IOException if one is missing, naming it
   */
  default void requireAll(Set<Digest> digests) throws IOException {
    Set<Digest> missing = missing(digests);
    if (!missing.isEmpty()) {
      throw new IOException(
          missing.size()
              + " chunks did not reach the store, among them "
              + missing.iterator().next());
    }
  }

  /**
   * Stores a chunk, unless it is there; the caller has computed {@code digest} from these bytes.
   *
   * @param stored the chunk's bytes from position to limit, read to their end; may be direct
   * @return whether the chunk is new here
   * @throws IOException if the disk is full or fails; the chunk is then missing
   */
  boolean put(Digest digest, ByteBuffer stored) throws IOException;

  /**
   * A chunk's bytes, compared with its digest before they are returned.
   *
   * @throws dev.regen.snapshot.RegenException.Damaged if the chunk is missing, or its bytes are not
   *     those of its digest
   */
  byte[] get(Digest digest) throws IOException;

  /** Forces every chunk put before this call to the disk, names included. */
  void force() throws IOException;

  /**
   * Takes a damaged chunk away, so that the next capture stores it anew. Its bytes are kept where
   * no reader looks, for whoever wants to save what is left in them.
   *
   * @return whether it was there
   */
  boolean setAside(Digest digest) throws IOException;

  /**
   * Removes those that are there. If this fails, any of them may be gone; a crash may bring some
   * back.
   */
  void delete(Collection<Digest> digests) throws IOException;

  /** Names every chunk, in no order. */
  void list(Consumer<Digest> each) throws IOException;
}
