package dev.regen.snapshot.layer;

import com.github.luben.zstd.Zstd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Any part of an archive's tar stream, out of the chunks that hold it. One unpacked chunk is in
 * memory at a time, and stays there until another is asked for. For one thread.
 */
final class ArchiveBytes {
  private final ChunkReader reader;
  private final Archive archive;

  /** Where each chunk begins in the tar stream; and where the last one ends. */
  private final long[] starts;

  private byte[] unpacked = EntryIndex.NO_BYTES;
  private int loaded = -1;

  ArchiveBytes(ChunkReader reader, Archive archive) {
    this.reader = reader;
    this.archive = archive;
    this.starts = new long[archive.chunks().size() + 1];
    for (int i = 0; i < archive.chunks().size(); i++) {
      starts[i + 1] = starts[i] + archive.chunks().get(i).tarBytes();
    }
  }

  /** A part of one chunk. */
  private final class Part implements FileBytes.Stretch {
    private final int chunk;
    private final int offset;
    private final int length;

    private Part(int chunk, int offset, int length) {
      this.chunk = chunk;
      this.offset = offset;
      this.length = length;
    }

    @Override
    public int length() {
      return length;
    }

    @Override
    public boolean isKnownToEqual(FileBytes.Stretch other) {
      return other instanceof Part part
          && part.offset == offset
          && part.length == length
          && part.digest().equals(digest());
    }

    @Override
    public ByteBuffer bytes() throws IOException {
      load(chunk);
      return ByteBuffer.wrap(unpacked, offset, length).slice();
    }

    private dev.regen.snapshot.Digest digest() {
      return archive.chunks().get(chunk).digest();
    }
  }

  /** {@code length} bytes from {@code from} on. */
  FileBytes range(long from, long length) {
    return new FileBytes() {
      private final long end = Math.min(from + length, starts[starts.length - 1]);
      private long at = from;
      private int chunk = -1;

      @Override
      public @Nullable Stretch next() {
        if (at >= end) {
          return null;
        }
        chunk = chunk < 0 ? chunkAt(at) : chunk + 1;
        int offset = (int) (at - starts[chunk]);
        int part = (int) (Math.min(end, starts[chunk + 1]) - at);
        at += part;
        return new Part(chunk, offset, part);
      }

      @Override
      public void close() {
        // Nothing is open.
      }
    };
  }

  private int chunkAt(long offset) {
    int found = Arrays.binarySearch(starts, offset);
    return found >= 0 ? found : -found - 2;
  }

  private void load(int index) throws IOException {
    if (loaded == index) {
      return;
    }
    loaded = -1;
    Chunk chunk = archive.chunks().get(index);
    byte[] frame = reader.frame(chunk);
    if (unpacked.length < chunk.tarBytes()) {
      unpacked = new byte[chunk.tarBytes()];
    }
    long length = Zstd.decompressByteArray(unpacked, 0, chunk.tarBytes(), frame, 0, frame.length);
    if (Zstd.isError(length) || length != chunk.tarBytes()) {
      throw new RegenException.Damaged(
          "chunk %d of %d (%s) does not unpack to its %d bytes of tar"
              .formatted(index + 1, starts.length - 1, chunk.digest(), chunk.tarBytes()));
    }
    loaded = index;
  }
}
