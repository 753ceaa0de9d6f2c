package dev.regen.snapshot.chunk;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.crypt.Envelope;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;

/**
 * The one place where stored chunks become zstd frames again: whoever wants to see what is in a
 * chunk reads it here. Safe for use by several threads at once.
 */
public final class ChunkReader {
  private final Source source;
  private final Keys keys;

  /** Where stored chunks come from. */
  @FunctionalInterface
  public interface Source {
    /** As {@link ChunkStore#get}. */
    byte[] get(Digest digest) throws IOException;
  }

  /**
   * @param keys asked for a key only when a chunk is encrypted
   */
  public ChunkReader(ChunkStore store, Keys keys) {
    this(store::get, keys);
  }

  private ChunkReader(Source source, Keys keys) {
    this.source = source;
    this.keys = keys;
  }

  /** As this one, of chunks from elsewhere. */
  public ChunkReader of(Source other) {
    return new ChunkReader(other, keys);
  }

  /** Reads chunks that are not encrypted. */
  public ChunkReader(ChunkStore store) {
    this(store, Keys.NONE);
  }

  /**
   * A chunk's zstd frame. Its stored bytes have been compared with their digest before.
   *
   * @throws RegenException.Damaged if the chunk is missing, its bytes are not those of its digest,
   *     their length is not the stated one, or they were changed after they were encrypted
   * @throws RegenException.Refused if it is encrypted, and the key is missing or another one; names
   *     the key, its file, and what to do
   */
  public byte[] frame(Chunk chunk) throws IOException {
    byte[] stored = source.get(chunk.digest());
    if (stored.length != chunk.storedBytes()) {
      throw new RegenException.Damaged(
          chunk.digest() + " has " + stored.length + " bytes, not " + chunk.storedBytes());
    }
    return Envelope.is(stored) ? Envelope.open(keys.key(Envelope.keyId(stored)), stored) : stored;
  }
}
