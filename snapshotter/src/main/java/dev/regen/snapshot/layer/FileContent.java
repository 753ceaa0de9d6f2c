package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.chunk.ChunkSink;
import dev.regen.snapshot.chunk.ContentCutter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Copies the content of one open file into the archive, holes as zeros and without reading them. A
 * large file is cut by its content, and a long hole into chunks of zeros.
 */
final class FileContent {
  /** How much is read at a time, and so the most that a cut has to carry to the next chunk. */
  private static final int SLICE_BYTES = 256 << 10;

  private static final int UNIT = 512;

  private final ChunkSink sink;
  private final Watch watch;
  private final byte[] slice = new byte[SLICE_BYTES];
  private final ContentCutter cutter;

  FileContent(ChunkSink sink, Watch watch) {
    this.sink = sink;
    this.watch = watch;
    this.cutter = new ContentCutter(sink.cutting());
  }

  /**
   * Writes {@code stat.size()} bytes of {@code fd}; returns the holes among them.
   *
   * @param large whether to cut, and where
   * @throws IOException if the file ends before, among others
   */
  List<EntryIndex.Hole> copy(Fd fd, byte[] path, Stat stat, boolean large) throws IOException {
    cutter.reset();
    if (stat.blocks512() >= (stat.size() + UNIT - 1) / UNIT) {
      data(fd, path, stat.size(), large);
      return List.of();
    }
    List<EntryIndex.Hole> holes = new ArrayList<>();
    for (long at = 0; at < stat.size(); ) {
      long from = at;
      long found = TreeChanged.during(path, () -> fd.seekData(from));
      long data = found < 0 ? stat.size() : Math.min(found, stat.size());
      if (data > at) {
        if (holes.size() < EntryIndex.HOLES_MAX) {
          holes.add(new EntryIndex.Hole(at, data - at));
        }
        hole(data - at, large);
      }
      long end = data;
      if (data < stat.size()) {
        end = Math.min(TreeChanged.during(path, () -> fd.seekHole(data)), stat.size());
      }
      if (end > data) {
        fd.seek(data);
        data(fd, path, end - data, large);
      }
      at = end;
    }
    return holes;
  }

  private void hole(long length, boolean large) throws IOException {
    long rest = length;
    if (large && length >= Chunk.TAR_BYTES_MAX) {
      sink.zeroChunks(length / Chunk.TAR_BYTES_MAX);
      cutter.reset();
      rest = length % Chunk.TAR_BYTES_MAX;
    }
    pieces(null, EntryIndex.NO_BYTES, rest, large);
  }

  private void data(Fd fd, byte[] path, long length, boolean large) throws IOException {
    pieces(fd, path, length, large);
  }

  /** From the file, or zeros where there is none. */
  private void pieces(@Nullable Fd fd, byte[] path, long length, boolean large) throws IOException {
    for (long left = length; left > 0; ) {
      int wanted = (int) Math.min(left, SLICE_BYTES);
      ByteBuffer buffer = sink.room(wanted);
      int from = buffer.position();
      if (fd == null) {
        sink.zeros(wanted);
      } else {
        read(fd, path, buffer, wanted);
      }
      left -= wanted;
      if (large) {
        cut(buffer, from, wanted);
        watch.reached(sink.position());
      }
    }
  }

  private static void read(Fd fd, byte[] path, ByteBuffer buffer, int wanted) throws IOException {
    int end = buffer.position() + wanted;
    int limit = buffer.limit();
    buffer.limit(end);
    while (buffer.position() < end) {
      if (TreeChanged.during(path, () -> fd.read(buffer)) == 0) {
        throw TreeChanged.at(path, "became shorter");
      }
    }
    buffer.limit(limit);
  }

  private void cut(ByteBuffer buffer, int from, int length) throws IOException {
    int base = from;
    int at = cutter.pass(length);
    buffer.get(from + at, slice, at, length - at);
    while (at < length) {
      int next = cutter.next(slice, at, length);
      if (next < 0) {
        return;
      }
      sink.cutAt(base + (next - at));
      // What follows the cut now stands at the start of the next chunk.
      base = 0;
      at = next;
    }
  }
}
