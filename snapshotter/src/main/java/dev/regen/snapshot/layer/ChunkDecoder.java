package dev.regen.snapshot.layer;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Fetches and unpacks chunks of an archive, one after the other. For one thread, which also closes
 * it; what it holds outside the heap is twice the largest stored chunk at most.
 */
final class ChunkDecoder implements AutoCloseable {
  private final ChunkReader reader;
  private final List<Chunk> chunks;
  private final ZstdDecompressCtx zstd = new ZstdDecompressCtx();
  private Arena arena = Arena.ofConfined();
  private ByteBuffer from = ByteBuffer.allocateDirect(0);

  /** {@code chunks} are all of the archive, so that messages can count them. */
  ChunkDecoder(ChunkReader reader, List<Chunk> chunks) {
    this.reader = reader;
    this.chunks = chunks;
  }

  /**
   * Fills {@code into}, from its start to its limit, with what the chunk holds; nothing of it is
   * seen before its digest fits.
   *
   * @param into direct, with room for the chunk
   * @throws RegenException.Damaged naming the chunk, if it is missing or not what it should be
   */
  void unpack(int index, ByteBuffer into) throws IOException {
    Chunk chunk = chunks.get(index);
    byte[] frame = frame(index, chunk);
    room(frame.length).put(frame).flip();
    into.clear().limit(chunk.tarBytes());
    try {
      int length =
          zstd.decompressDirectByteBuffer(into, 0, chunk.tarBytes(), from, 0, frame.length);
      if (length != chunk.tarBytes()) {
        throw damaged(index, chunk, "unpacks to " + length + " bytes");
      }
    } catch (ZstdException e) {
      throw damaged(index, chunk, "does not unpack: " + e.getMessage());
    }
  }

  private byte[] frame(int index, Chunk chunk) throws IOException {
    try {
      return reader.frame(chunk);
    } catch (RegenException.Damaged e) {
      throw damaged(index, chunk, String.valueOf(e.getMessage()));
    }
  }

  private ByteBuffer room(int bytes) {
    if (from.capacity() < bytes) {
      arena.close();
      arena = Arena.ofConfined();
      from = arena.allocate(Math.max(bytes, 2L * from.capacity())).asByteBuffer();
    }
    return from.clear();
  }

  private RegenException.Damaged damaged(int index, Chunk chunk, String problem) {
    return new RegenException.Damaged(
        "chunk %d of %d (%s, %d bytes of tar): %s"
            .formatted(index + 1, chunks.size(), chunk.digest(), chunk.tarBytes(), problem));
  }

  @Override
  public void close() {
    zstd.close();
    arena.close();
  }
}
