package dev.regen.snapshot.layer;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkSink;
import java.io.IOException;
import java.util.Arrays;

/** Writes what {@link EntryIndex} reads, holding one chunk of it in memory. */
final class EntryIndexWriter {
  /** Chunks are about this long and end where a group of the archive does. */
  private static final int CHUNK_MIN_BYTES = 256 << 10;

  private static final int CHUNK_MAX_BYTES = 4 << 20;

  /** What one entry with the longest paths and the most holes can take. */
  private static final int ENTRY_MAX_BYTES = 3 << 20;

  /** What one entry without paths and holes can take at most. */
  private static final int RECORD_MAX_BYTES = 128;

  private static final int NUMBER_MAX_BYTES = 10;

  private final ChunkSink sink;
  private byte[] bytes = new byte[CHUNK_MIN_BYTES];
  private int at;
  private byte[] path = EntryIndex.NO_BYTES;

  EntryIndexWriter(ChunkSink sink) {
    this.sink = sink;
    begin();
  }

  /** A group of the archive begins with {@code first}: the index may be cut here. */
  void groupBegins(byte[] first) throws IOException {
    boolean chosen = (sink.cutting().hash(first) & 3) == 0;
    if ((at >= CHUNK_MIN_BYTES && chosen) || at >= CHUNK_MAX_BYTES) {
      cut();
    }
  }

  /** Which chunk of the index is being written, counted from 0. */
  int chunk() {
    return sink.list().size();
  }

  /** Where in that chunk the next record begins. */
  int offset() {
    return at;
  }

  /** Whether a group's records fit into the open chunk, in which they began to be written. */
  boolean hasRoomFor(StoredGroup group) {
    return at + group.length() + ENTRY_MAX_BYTES <= Chunk.TAR_BYTES_MAX;
  }

  /** Writes the records of a group, without a cut in them. */
  void copy(StoredGroup group) throws IOException {
    if (at + group.length() > Chunk.TAR_BYTES_MAX) {
      cut();
    }
    grow(group.length());
    System.arraycopy(group.index(), group.offset(), bytes, at, group.length());
    at += group.length();
  }

  void add(EntryIndex.Entry entry) throws IOException {
    int most = mostBytes(entry);
    if (at + most > Chunk.TAR_BYTES_MAX) {
      cut();
    }
    if (at + most > Chunk.TAR_BYTES_MAX) {
      throw new RegenException.Refused("an entry too large for the index");
    }
    grow(most);
    encode(entry);
  }

  private void grow(int more) {
    if (at + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, at + more));
    }
  }

  /** Writes what is left; the sink then ends with the index. */
  void finish() throws IOException {
    cut();
  }

  private void encode(EntryIndex.Entry entry) {
    int head = entry.type().code();
    head |= entry.hasXattrs() ? EntryIndex.HAS_XATTRS : 0;
    head |= entry.holes().length > 0 ? EntryIndex.HAS_HOLES : 0;
    if (entry.beginsGroup()) {
      head |= EntryIndex.BEGINS_GROUP;
      path = EntryIndex.NO_BYTES;
    }
    bytes[at++] = (byte) head;
    int mismatch = Arrays.mismatch(path, entry.path());
    int shared = mismatch < 0 ? path.length : mismatch;
    path = entry.path();
    number(shared);
    number(path.length - shared);
    put(path, shared);
    number(entry.mode());
    number(entry.uid());
    number(entry.gid());
    number((entry.mtime().seconds() << 1) ^ (entry.mtime().seconds() >> 63));
    number(entry.mtime().nanos());
    number(entry.tarBytes());
    switch (entry.type()) {
      case FILE -> number(entry.size());
      case CHARACTER_DEVICE, BLOCK_DEVICE -> number(entry.rdev());
      case SYMLINK, HARD_LINK -> {
        number(entry.target().length);
        put(entry.target(), 0);
      }
      case DIRECTORY, FIFO, WHITEOUT, OPAQUE -> {
        // Nothing more to say.
      }
    }
    holes(entry.holes());
  }

  private void holes(EntryIndex.Hole[] holes) {
    if (holes.length == 0) {
      return;
    }
    number(holes.length);
    long from = 0;
    for (EntryIndex.Hole hole : holes) {
      number(hole.offset() - from);
      number(hole.length());
      from = hole.offset() + hole.length();
    }
  }

  private static int mostBytes(EntryIndex.Entry entry) {
    return RECORD_MAX_BYTES
        + entry.path().length
        + entry.target().length
        + entry.holes().length * 2 * NUMBER_MAX_BYTES;
  }

  private void put(byte[] from, int offset) {
    System.arraycopy(from, offset, bytes, at, from.length - offset);
    at += from.length - offset;
  }

  private void number(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[at++] = (byte) rest;
  }

  private void begin() {
    System.arraycopy(EntryIndex.MAGIC, 0, bytes, 0, EntryIndex.MAGIC.length);
    at = EntryIndex.MAGIC.length;
    path = EntryIndex.NO_BYTES;
  }

  private void cut() throws IOException {
    if (at > EntryIndex.MAGIC.length) {
      sink.put(bytes, 0, at);
      sink.cut();
      begin();
    }
  }
}
