package dev.regen.snapshot.chunk;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stream of bytes that its writer cuts into chunks. For one thread.
 *
 * <p>Where nobody cuts, the stream is cut when a buffer is full: no chunk holds more than {@link
 * Chunk#TAR_BYTES_MAX}.
 */
public final class ChunkSink {
  private static final byte[] ZEROS = new byte[64 << 10];

  private final ChunkPipeline pipeline;
  private final ChunkList list = new ChunkList();
  private @Nullable ByteBuffer current;
  private ChunkList.@Nullable Place zeroChunk;
  private long cutBytes;

  public ChunkSink(ChunkPipeline pipeline) {
    this.pipeline = pipeline;
  }

  /** The chunks so far, the open one not among them. */
  public ChunkList list() {
    return list;
  }

  /** Where the stream is to be cut. */
  public Cutting cutting() {
    return pipeline.cutting();
  }

  /** How much was written. */
  public long position() {
    return cutBytes + pending();
  }

  /** How much of that is in the open chunk. */
  public int pending() {
    return current == null ? 0 : current.position();
  }

  /**
   * The open chunk, to write at its position, with room for {@code bytes}; cuts first if there is
   * not enough. Not to be kept beyond the next call.
   *
   * @param bytes at most {@link Chunk#TAR_BYTES_MAX}
   */
  public ByteBuffer room(int bytes) throws IOException {
    if (current != null && current.remaining() < bytes) {
      cut();
    }
    if (current == null) {
      current = pipeline.take();
    }
    return current;
  }

  /** Writes bytes, not more than a chunk holds, without a cut in them. */
  public void put(byte[] bytes, int offset, int length) throws IOException {
    room(length).put(bytes, offset, length);
  }

  /** Ends the open chunk, if anything is in it. */
  public void cut() throws IOException {
    if (current != null && current.position() > 0) {
      checkCount(1);
      cutBytes += current.position();
      pipeline.submit(current, list);
      current = null;
    }
  }

  /** Ends the open chunk {@code keep} bytes after its start; what follows begins the next one. */
  public void cutAt(int keep) throws IOException {
    ByteBuffer whole = room(0);
    int rest = whole.position() - keep;
    if (rest == 0) {
      cut();
      return;
    }
    ByteBuffer next = pipeline.take();
    next.put(whole.slice(keep, rest));
    whole.position(keep);
    cut();
    current = next;
  }

  /** Writes what {@code stored} holds by naming it; the store must have these chunks. */
  public void reuse(List<Chunk> stored) throws IOException {
    cut();
    checkCount(stored.size());
    for (Chunk chunk : stored) {
      list.add(chunk);
      cutBytes += chunk.tarBytes();
    }
  }

  /** Writes zeros into the open chunk, and into new ones when it is full. */
  public void zeros(long count) throws IOException {
    for (long left = count; left > 0; ) {
      ByteBuffer buffer = room(1);
      int length = (int) Math.min(Math.min(left, ZEROS.length), buffer.remaining());
      buffer.put(ZEROS, 0, length);
      left -= length;
    }
  }

  /**
   * Writes {@code count} chunks of {@link Chunk#TAR_BYTES_MAX} zeros. They are compressed and
   * stored once in the life of this sink, and then only named again.
   */
  public void zeroChunks(long count) throws IOException {
    cut();
    checkCount(count);
    long left = count;
    ChunkList.Place place = zeroChunk;
    if (place == null && left > 0) {
      zeros(Chunk.TAR_BYTES_MAX);
      ByteBuffer filled = room(0);
      place = list.next();
      zeroChunk = place;
      pipeline.submit(filled, place);
      current = null;
      cutBytes += Chunk.TAR_BYTES_MAX;
      left--;
    }
    for (; left > 0 && place != null; left--) {
      list.repeat(place);
      cutBytes += Chunk.TAR_BYTES_MAX;
    }
  }

  private void checkCount(long more) throws RegenException {
    if (list.size() + more > Archive.CHUNKS_MAX) {
      throw new RegenException.Refused(
          "the layer takes more than " + Archive.CHUNKS_MAX + " chunks; exclude large files");
    }
  }
}
