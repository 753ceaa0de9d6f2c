package dev.regen.agent.storage;

import dev.regen.runtime.durable.Disk;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory for chunks that arrive, beside the heap: it begins where {@link Disk#ALIGNED_BYTES} says,
 * so that large chunks go to the disk from it without a copy in the page cache. How much there is
 * at once is limited by who takes it.
 */
final class ChunkMemory {
  private static final int UNIT_BYTES = 256 << 10;
  private static final int PIECE_BYTES = 64 << 10;

  /** What is kept for the next ones. */
  private static final long IDLE_BYTES_MAX = 32 << 20;

  /** By length. */
  private final Map<Integer, Deque<Block>> idle = new HashMap<>();

  private long idleBytes;

  private record Block(Arena arena, MemorySegment memory) {
    int length() {
      return (int) memory.byteSize();
    }
  }

  /** A chunk in memory until this is closed. */
  final class Arrived implements AutoCloseable {
    private final Block block;
    private final ByteBuffer bytes;

    private Arrived(Block block, int length) {
      this.block = block;
      this.bytes = block.memory().asByteBuffer().limit(length);
    }

    ByteBuffer bytes() {
      return bytes;
    }

    @Override
    public void close() {
      give(block);
    }
  }

  /** Reads the next {@code length} bytes of a body, or as many as there are. */
  Arrived read(InputStream body, int length) throws IOException {
    Arrived arrived = new Arrived(take(Math.ceilDiv(length, UNIT_BYTES) * UNIT_BYTES), length);
    try {
      ByteBuffer bytes = arrived.bytes();
      byte[] piece = new byte[Math.min(length, PIECE_BYTES)];
      int read = 0;
      while (bytes.hasRemaining() && read >= 0) {
        read = body.read(piece, 0, Math.min(piece.length, bytes.remaining()));
        bytes.put(piece, 0, Math.max(0, read));
      }
      bytes.flip();
      return arrived;
    } catch (IOException | RuntimeException e) {
      arrived.close();
      throw e;
    }
  }

  private Block take(int length) {
    synchronized (idle) {
      Deque<Block> fitting = idle.get(length);
      if (fitting != null && !fitting.isEmpty()) {
        idleBytes -= length;
        return fitting.pop();
      }
    }
    Arena arena = Arena.ofShared();
    return new Block(arena, arena.allocate(length, Disk.ALIGNED_BYTES));
  }

  private void give(Block block) {
    synchronized (idle) {
      if (idleBytes + block.length() <= IDLE_BYTES_MAX) {
        idleBytes += block.length();
        idle.computeIfAbsent(block.length(), _ -> new ArrayDeque<>()).push(block);
        return;
      }
    }
    block.arena().close();
  }
}
