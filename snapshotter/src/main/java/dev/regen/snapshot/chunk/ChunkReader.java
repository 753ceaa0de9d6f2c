package dev.regen.snapshot.chunk;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;

/**
 * The one place where stored chunks become zstd frames again: whoever wants to see what is in a
 * chunk reads it here. Safe for use by several threads at once.
 */
public final class ChunkReader {
  private final ChunkStore store;

  public ChunkReader(ChunkStore store) {
    this.store = store;
  }

  /**
   * A chunk's zstd frame. Its stored bytes have been compared with their digest before.
   *
   * @throws RegenException.Damaged if the chunk is missing, its bytes are not those of its digest,
   *     or their length is not the stated one
   */
  public byte[] frame(Chunk chunk) throws IOException {
    byte[] stored = store.get(chunk.digest());
    if (stored.length != chunk.storedBytes()) {
      throw new RegenException.Damaged(
          chunk.digest() + " has " + stored.length + " bytes, not " + chunk.storedBytes());
    }
    return stored;
  }
}
