package dev.regen.snapshot.publish;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.regen.runtime.Futures;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.BlobReader;
import dev.regen.snapshot.registry.ContentDigest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The digests of a layer whose chunks follow one another, as stored and unpacked, of one reading:
 * while one chunk is unpacked the next is read. For one thread, beside which it has another.
 */
final class StoredLayerDigests implements BlobReader.Sink, AutoCloseable {
  private final MessageDigest stored = ContentDigest.Algorithm.SHA256.hasher();
  private final MessageDigest plain = ContentDigest.Algorithm.SHA256.hasher();
  private final PublishProgress progress;
  private final Iterator<Chunk> chunks;
  private final ExecutorService beside = Executors.newSingleThreadExecutor();
  private @Nullable Chunk current;
  private byte[] frame = new byte[0];
  private byte[] other = new byte[0];
  private int frameBytes;
  private byte[] unpacked = new byte[0];
  private @Nullable Future<?> unpacking;

  /**
   * Of a whole layer.
   *
   * @param plain of what is in it
   */
  record Both(ContentDigest stored, ContentDigest plain) {}

  StoredLayerDigests(List<Chunk> chunks, PublishProgress progress) {
    this.chunks = chunks.iterator();
    this.progress = progress;
  }

  @Override
  public void take(ByteBuffer some) throws IOException {
    stored.update(some.duplicate());
    progress.read(some.remaining());
    while (some.hasRemaining()) {
      Chunk chunk = current();
      int count = Math.min(some.remaining(), chunk.storedBytes() - frameBytes);
      some.get(frame, frameBytes, count);
      frameBytes += count;
      if (frameBytes == chunk.storedBytes()) {
        unpack(chunk);
      }
    }
  }

  /** After the last chunk. */
  Both digests() throws IOException {
    await();
    return new Both(
        ContentDigest.Algorithm.SHA256.of(stored), ContentDigest.Algorithm.SHA256.of(plain));
  }

  @Override
  public void close() {
    beside.shutdownNow();
    beside.close();
  }

  private Chunk current() {
    Chunk chunk = current;
    if (chunk == null) {
      chunk = chunks.next();
      current = chunk;
      frameBytes = 0;
      if (frame.length < chunk.storedBytes()) {
        frame = new byte[chunk.storedBytes()];
      }
    }
    return chunk;
  }

  private void unpack(Chunk chunk) throws IOException {
    await();
    byte[] full = frame;
    unpacking =
        beside.submit(() -> {
          unpack(chunk, full);
          return null;
        });
    frame = other;
    other = full;
    current = null;
  }

  /** In the other thread. */
  private void unpack(Chunk chunk, byte[] packed) throws RegenException.Damaged {
    if (unpacked.length < chunk.tarBytes()) {
      unpacked = new byte[chunk.tarBytes()];
    }
    long length;
    try {
      length =
          Zstd.decompressByteArray(unpacked, 0, chunk.tarBytes(), packed, 0, chunk.storedBytes());
    } catch (ZstdException e) {
      throw new RegenException.Damaged("chunk " + chunk.digest() + ": " + e.getMessage());
    }
    if (length != chunk.tarBytes()) {
      throw new RegenException.Damaged("chunk " + chunk.digest() + " unpacks to another length");
    }
    plain.update(unpacked, 0, chunk.tarBytes());
  }

  private void await() throws IOException {
    Future<?> before = unpacking;
    if (before != null) {
      unpacking = null;
      Futures.get(before);
    }
  }
}
