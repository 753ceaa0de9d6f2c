package dev.regen.snapshot.layer;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads what stands where in a layer archive, in the archive's order, without the archive's data.
 *
 * <p>The index is a sequence of zstd frames of at most {@link Chunk#TAR_BYTES_MAX} bytes, kept as
 * chunks beside the archive's own. Each begins with {@code RGIX} and a version, and can be read by
 * itself but for the tar offset, which goes on from chunk to chunk. One chunk is in memory at a
 * time. Everything read is checked: it may come from another host.
 *
 * <p>The first record of each group that was cut by itself is marked and shares no path with the
 * one before it, so that a group's records are the same wherever they stand. Version 1 had no
 * marks.
 *
 * <p>Record, numbers as LEB128: type | flags · bytes shared with the path before · rest of the path
 * · permissions · uid · gid · seconds (zigzag) · nanoseconds · length in the tar · then by type:
 * size, device number or target · holes.
 */
public final class EntryIndex {
  /** The most holes that are listed for one file; further ones are plain zeros. */
  public static final int HOLES_MAX = 100_000;

  /** The longest path. */
  public static final int PATH_BYTES_MAX = 64 << 10;

  /** The most names in a path. */
  public static final int LEVELS_MAX = 1000;

  static final byte[] MAGIC = {'R', 'G', 'I', 'X', 2};
  private static final int VERSION_AT = 4;
  static final int TYPE_MASK = 0xF;
  static final int HAS_XATTRS = 0x10;
  static final int HAS_HOLES = 0x20;
  static final int BEGINS_GROUP = 0x40;
  static final int BLOCK = 512;

  /** What an entry of the archive is. */
  public enum Type {
    FILE(0),
    DIRECTORY(1),
    SYMLINK(2),
    /** A further name of an entry that stands before it; {@link Entry#target} is its path. */
    HARD_LINK(3),
    CHARACTER_DEVICE(4),
    BLOCK_DEVICE(5),
    FIFO(6),
    /** The path is gone; what the tar holds is an empty file of another name. */
    WHITEOUT(7),
    /** The directory of this path hides what the layers below have in it. */
    OPAQUE(8);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    /** Its number in the format. */
    int code() {
      return code;
    }
  }

  /** A stretch of a file that is not kept on disk and reads as zeros. */
  public record Hole(long offset, long length) {}

  /**
   * One member of the tar stream. Paths are as on disk, relative to the tree and without a slash at
   * the end, of any bytes but zero; the root's is empty.
   *
   * @param mode permissions with setuid, setgid and sticky
   * @param uid as the container sees it, likewise {@code gid}
   * @param size of a file's content, else 0
   * @param rdev of a device, else 0
   * @param target of a symbolic or hard link, else empty
   * @param hasXattrs whether the tar holds extended attributes for it
   * @param tarOffset where its headers begin in the tar stream
   * @param tarBytes length of headers, content and padding
   * @param holes of a file, in order, at most {@link #HOLES_MAX}
   * @param beginsGroup whether a group begins with it; never in archives of version 1
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody; millions of these are read
  public record Entry(
      byte[] path,
      Type type,
      int mode,
      long uid,
      long gid,
      Stat.Time mtime,
      long size,
      long rdev,
      byte[] target,
      boolean hasXattrs,
      long tarOffset,
      long tarBytes,
      Hole[] holes,
      boolean beginsGroup) {

    /** Where a file's content begins in the tar stream. */
    public long dataOffset() {
      return tarOffset + tarBytes - padded(size);
    }
  }

  static final byte[] NO_BYTES = {};
  static final Hole[] NO_HOLES = {};
  private static final Type[] TYPES = Type.values();

  private final ChunkReader reader;
  private final Archive archive;
  private int nextChunk;
  private byte[] bytes = NO_BYTES;
  private int at;
  private int recordBegin;
  private byte[] path = NO_BYTES;
  private long entries;
  private long tarOffset;

  private EntryIndex(ChunkReader reader, Archive archive) {
    this.reader = reader;
    this.archive = archive;
  }

  /** Begins to read; gets no chunk yet. */
  public static EntryIndex open(ChunkReader reader, Archive archive) {
    return new EntryIndex(reader, archive);
  }

  /** Begins with the entries of one chunk, where the tar is at {@code tarOffset}. */
  static EntryIndex from(ChunkReader reader, Archive archive, int chunk, long tarOffset)
      throws IOException {
    EntryIndex index = new EntryIndex(reader, archive);
    index.tarOffset = tarOffset;
    index.nextChunk = chunk + 1;
    index.load(archive.entryIndex().get(chunk));
    return index;
  }

  /** Which chunk of the index the last entry stands in, from 0. */
  int chunk() {
    return nextChunk - 1;
  }

  /** Where in that chunk, uncompressed, its record begins. */
  int recordBegin() {
    return recordBegin;
  }

  /** Where it ends. */
  int recordEnd() {
    return at;
  }

  /** Whether the next entry stands in the same chunk. */
  boolean hasMoreInChunk() {
    return at < bytes.length;
  }

  /**
   * The next entry, or null after the last.
   *
   * @throws RegenException.Damaged if a chunk is missing or does not hold what it should, or the
   *     index does not fit the archive
   */
  public @Nullable Entry next() throws IOException {
    while (at == bytes.length) {
      if (nextChunk == archive.entryIndex().size()) {
        checkEnd();
        return null;
      }
      load(archive.entryIndex().get(nextChunk++));
    }
    if (++entries > archive.entries()) {
      throw damaged("more entries than the archive");
    }
    try {
      return entry();
    } catch (IndexOutOfBoundsException e) {
      throw damaged("an entry that is cut off");
    }
  }

  private Entry entry() throws RegenException {
    recordBegin = at;
    int head = bytes[at++] & 0xFF;
    Type type = type(head);
    boolean group = (head & BEGINS_GROUP) != 0;
    if (group) {
      path = NO_BYTES;
    }
    path = path();
    int mode = (int) number(0xFFF);
    long uid = number(0xFFFFFFFFL);
    long gid = number(0xFFFFFFFFL);
    Stat.Time mtime = new Stat.Time(signed(), (int) number(999_999_999));
    long tarBytes = number(Long.MAX_VALUE >> 1);
    long size = type == Type.FILE ? number(tarBytes) : 0;
    boolean device = type == Type.CHARACTER_DEVICE || type == Type.BLOCK_DEVICE;
    long rdev = device ? number(Long.MAX_VALUE) : 0;
    boolean link = type == Type.SYMLINK || type == Type.HARD_LINK;
    byte[] target = link ? take((int) number(PATH_BYTES_MAX)) : NO_BYTES;
    Hole[] holes = (head & HAS_HOLES) != 0 ? holes(size) : NO_HOLES;
    if (tarBytes < BLOCK || tarBytes % BLOCK != 0 || tarBytes - BLOCK < padded(size)) {
      throw damaged("an entry of impossible length");
    }
    long offset = tarOffset;
    tarOffset += tarBytes;
    if (tarOffset > archive.tarBytes()) {
      throw damaged("an entry after the archive's end");
    }
    boolean xattrs = (head & HAS_XATTRS) != 0;
    return new Entry(
        path, type, mode, uid, gid, mtime, size, rdev, target, xattrs, offset, tarBytes, holes,
        group);
  }

  private Type type(int head) throws RegenException {
    int flags = HAS_XATTRS | HAS_HOLES | (bytes[VERSION_AT] == 1 ? 0 : BEGINS_GROUP);
    if ((head & ~(TYPE_MASK | flags)) == 0) {
      for (Type type : TYPES) {
        if (type.code == (head & TYPE_MASK)) {
          return type;
        }
      }
    }
    throw damaged("an entry of unknown type");
  }

  private byte[] path() throws RegenException {
    int shared = (int) number(path.length);
    int rest = (int) number(PATH_BYTES_MAX - shared);
    byte[] whole = Arrays.copyOf(path, shared + rest);
    System.arraycopy(take(rest), 0, whole, shared, rest);
    return whole;
  }

  private Hole[] holes(long size) throws RegenException {
    int count = (int) number(HOLES_MAX);
    if (count > bytes.length - at) {
      throw damaged("more holes than it has room for");
    }
    Hole[] holes = new Hole[count];
    long from = 0;
    for (int i = 0; i < count; i++) {
      long offset = from + number(size - from);
      long length = number(size - offset);
      holes[i] = new Hole(offset, length);
      from = offset + length;
    }
    return holes;
  }

  private byte[] take(int length) {
    if (length > bytes.length - at) {
      throw new IndexOutOfBoundsException(length);
    }
    byte[] taken = Arrays.copyOfRange(bytes, at, at + length);
    at += length;
    return taken;
  }

  private long signed() throws RegenException {
    long zigzag = leb128();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  private long number(long most) throws RegenException {
    long value = leb128();
    if (value < 0 || value > most) {
      throw damaged("a number out of its range");
    }
    return value;
  }

  private long leb128() throws RegenException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = bytes[at++];
      value |= (b & 0x7FL) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw damaged("an endless number");
  }

  private void load(Chunk chunk) throws IOException {
    bytes = raw(reader, chunk);
    at = MAGIC.length;
    path = NO_BYTES;
  }

  /** A chunk of an index, uncompressed; its form and version are known ones. */
  static byte[] raw(ChunkReader reader, Chunk chunk) throws IOException {
    byte[] raw = new byte[chunk.tarBytes()];
    byte[] frame = reader.frame(chunk);
    try (ZstdDecompressCtx zstd = new ZstdDecompressCtx()) {
      if (zstd.decompress(raw, frame) != raw.length) {
        throw damaged("a chunk shorter than it says");
      }
    } catch (ZstdException e) {
      throw damaged("a chunk that is no zstd frame of its length");
    }
    if (raw.length < MAGIC.length
        || !Arrays.equals(raw, 0, VERSION_AT, MAGIC, 0, VERSION_AT)
        || raw[VERSION_AT] < 1
        || raw[VERSION_AT] > MAGIC[VERSION_AT]) {
      throw damaged("a chunk of unknown form or version");
    }
    return raw;
  }

  /** Whether {@code length} bytes of a {@link #raw} chunk can be the records of a group. */
  static boolean beginsGroup(byte[] raw, int offset, int length) {
    return offset >= MAGIC.length
        && length > 0
        && length <= raw.length - offset
        && raw[VERSION_AT] == MAGIC[VERSION_AT]
        && (raw[offset] & BEGINS_GROUP) != 0;
  }

  private void checkEnd() throws RegenException {
    if (entries != archive.entries()) {
      throw damaged("fewer entries than the archive");
    }
  }

  private static RegenException damaged(String what) {
    return new RegenException.Damaged(
        "the entry index holds " + what + "; run `regen verify --repair`");
  }

  static long padded(long size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }
}
