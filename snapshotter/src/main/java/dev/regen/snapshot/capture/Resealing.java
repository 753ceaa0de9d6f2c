package dev.regen.snapshot.capture;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * Stores an archive's chunks once more, sealed otherwise; the old ones stay. The frames in them and
 * where the stream is cut do not change. Forces nothing.
 */
final class Resealing {
  private final ChunkStore store;
  private final ChunkReader reader;
  private final Sealing.Sealer sealer;
  private final Progress progress;
  private final BooleanSupplier cancelled;
  private final Map<Digest, Chunk> done = new HashMap<>();
  private long tarBytes;
  private long newBytes;

  Resealing(
      ChunkStore store,
      ChunkReader reader,
      Sealing sealing,
      Progress progress,
      BooleanSupplier cancelled) {
    this.store = store;
    this.reader = reader;
    this.sealer = sealing.sealer();
    this.progress = progress;
    this.cancelled = cancelled;
  }

  /**
   * The same archive of the new chunks.
   *
   * @throws CancellationException after the chunk at which {@code cancelled} said true
   */
  Archive reseal(Archive archive) throws IOException {
    List<Chunk> chunks = resealed(archive.chunks());
    List<Chunk> index = resealed(archive.entryIndex());
    return new Archive(
        chunks,
        index,
        archive.entries(),
        archive.tarBytes(),
        length(chunks) + length(index),
        newBytes,
        archive.omitted(),
        archive.omittedCount());
  }

  private List<Chunk> resealed(List<Chunk> chunks) throws IOException {
    List<Chunk> all = new ArrayList<>(chunks.size());
    for (Chunk chunk : chunks) {
      Chunk known = done.get(chunk.digest());
      if (known == null) {
        known = resealed(chunk);
        done.put(chunk.digest(), known);
      }
      all.add(known);
      tarBytes += chunk.tarBytes();
    }
    return all;
  }

  private Chunk resealed(Chunk chunk) throws IOException {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException();
    }
    progress.advanced(0, tarBytes);
    ByteBuffer stored = sealer.sealed(ByteBuffer.wrap(reader.frame(chunk)));
    int length = stored.remaining();
    Digest digest = Digest.of(stored.duplicate());
    if (store.put(digest, stored)) {
      newBytes += length;
    }
    return new Chunk(digest, length, chunk.tarBytes());
  }

  private static long length(List<Chunk> chunks) {
    return chunks.stream().mapToLong(Chunk::storedBytes).sum();
  }
}
