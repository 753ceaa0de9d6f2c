package dev.regen.agent.storage;

import dev.regen.runtime.durable.Disk;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Memory for chunks that arrive. Large ones are beside the heap and begin where {@link
 * Disk#ALIGNED_BYTES} says, so that they go to the disk without a copy in the page cache. How much
 * there is at once is limited by who takes it, see {@link #taken}.
 */
final class ChunkMemory {
  /** What is smaller shares a file with others, and is copied anyway. */
  private static final int LARGE_BYTES = 256 << 10;

  private static final int PIECE_BYTES = 64 << 10;

  /** What is kept for the next ones. */
  private static final long IDLE_BYTES_MAX = 32 << 20;

  /** The last one used before the others. */
  private final Deque<Block> idle = new ArrayDeque<>();

  private long idleBytes;

  private record Block(Arena arena, MemorySegment memory) {
    int length() {
      return (int) memory.byteSize();
    }
  }

  /** A chunk in memory until this is closed. */
  final class Arrived implements AutoCloseable {
    private final @Nullable Block block;
    private final ByteBuffer bytes;

    private Arrived(int length) {
      block = length < LARGE_BYTES ? null : take(taken(length));
      bytes =
          block == null ? ByteBuffer.allocate(length) : block.memory().asByteBuffer().limit(length);
    }

    ByteBuffer bytes() {
      return bytes;
    }

    @Override
    public void close() {
      if (block != null) {
        give(block);
      }
    }
  }

  /** What a chunk of that length takes: at most a quarter more, so that much is of one length. */
  static int taken(int length) {
    if (length < LARGE_BYTES) {
      return length;
    }
    int unit = Integer.highestOneBit(length) / 4;
    return Math.ceilDiv(length, unit) * unit;
  }

  /** Reads the next {@code length} bytes of a body, or as many as there are. */
  Arrived read(InputStream body, int length) throws IOException {
    Arrived arrived = new Arrived(length);
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
      for (Iterator<Block> each = idle.iterator(); each.hasNext(); ) {
        Block block = each.next();
        if (block.length() == length) {
          each.remove();
          idleBytes -= length;
          return block;
        }
      }
    }
    Arena arena = Arena.ofShared();
    return new Block(arena, arena.allocate(length, Disk.ALIGNED_BYTES));
  }

  private void give(Block block) {
    List<Block> unwanted = new ArrayList<>();
    synchronized (idle) {
      idle.addFirst(block);
      idleBytes += block.length();
      while (idleBytes > IDLE_BYTES_MAX) {
        Block oldest = idle.removeLast();
        idleBytes -= oldest.length();
        unwanted.add(oldest);
      }
    }
    unwanted.forEach(each -> each.arena().close());
  }
}
