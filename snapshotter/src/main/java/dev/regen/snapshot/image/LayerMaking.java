package dev.regen.snapshot.image;

import com.github.luben.zstd.ZstdCompressCtx;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.chunk.ContentCutter;
import dev.regen.snapshot.chunk.Cutting;
import dev.regen.snapshot.transfer.ChunkSending;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes chunks of a layer's bytes as they are read: cut by what they are, so that what two layers
 * have in common becomes the same chunks. For one thread.
 */
final class LayerMaking implements ChunkSending.Maker, AutoCloseable {
  private static final int LEVEL = 3;

  private final Pieces pieces;
  private final ContentCutter cutter = new ContentCutter(Cutting.PLAIN);
  private final ZstdCompressCtx zstd = new ZstdCompressCtx();
  private final MessageDigest sha256 = Digest.sha256();
  private final List<Chunk> chunks = new ArrayList<>();
  private final byte[] open = new byte[ContentCutter.MAX_BYTES];
  private int openBytes;
  private byte[] piece = new byte[0];
  private int from;
  private int to;
  private long sizeBytes;

  /** The layer's bytes. */
  @FunctionalInterface
  interface Pieces {
    /** The next ones, at least one; null at the end. */
    @Nullable ByteBuffer next() throws IOException;
  }

  LayerMaking(Pieces pieces) {
    this.pieces = pieces;
    zstd.setLevel(LEVEL).setChecksum(true).setContentSize(true);
  }

  @Override
  public ChunkSending.@Nullable Made next() throws IOException {
    while (from < to || read()) {
      int cut = cutter.next(piece, from, to);
      int end = cut < 0 ? to : cut;
      System.arraycopy(piece, from, open, openBytes, end - from);
      openBytes += end - from;
      from = end;
      if (cut >= 0) {
        return made();
      }
    }
    return openBytes == 0 ? null : made();
  }

  /** All of it, to be asked for after the last chunk. */
  StoredLayer layer() {
    return new StoredLayer(Digest.of(sha256), sizeBytes, chunks);
  }

  @Override
  public void close() {
    zstd.close();
  }

  private boolean read() throws IOException {
    ByteBuffer following = pieces.next();
    if (following == null) {
      return false;
    }
    from = 0;
    to = following.remaining();
    if (piece.length < to) {
      piece = new byte[to];
    }
    following.get(piece, 0, to);
    sha256.update(piece, 0, to);
    sizeBytes += to;
    return true;
  }

  private ChunkSending.Made made() {
    byte[] stored = zstd.compress(Arrays.copyOf(open, openBytes));
    Chunk chunk = new Chunk(Digest.of(ByteBuffer.wrap(stored)), stored.length, openBytes);
    openBytes = 0;
    cutter.reset();
    chunks.add(chunk);
    return new ChunkSending.Made(chunk, chunks.size() - 1, stored);
  }
}
