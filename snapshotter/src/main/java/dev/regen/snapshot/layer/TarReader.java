package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads a tar stream member by member: v7, ustar, PAX and GNU headers, names and attributes byte by
 * byte.
 *
 * <p>The stream is taken for hostile: every length is checked before it is used, no more memory is
 * taken than {@link PaxRecords#HEADER_BYTES_MAX} for a header's long parts, and a stream that ends
 * early or goes on after its end is refused. The paths in it are not judged here.
 */
final class TarReader {
  static final int BLOCK_BYTES = 512;
  static final String SPARSE =
      "is a GNU sparse member, which container engines don't read; make the archive without"
          + " tar's -S (--sparse)";

  /** Tar fills its last record with zeros; more than this is no padding. */
  private static final long PADDING_BYTES_MAX = 1 << 20;

  private final TarSource source;
  private final long entriesMax;
  private final long bytesMax;
  private final byte[] header = new byte[BLOCK_BYTES];
  private ByteBuffer piece = ByteBuffer.allocate(0);
  private long offsetBytes;
  private long contentLeft;
  private int contentPadding;
  private long members;
  private long headerOffset;

  // What came before a member's own header.
  private @Nullable PaxRecords pax;
  private byte @Nullable [] longName;
  private byte @Nullable [] longLink;

  /**
   * @param entriesMax the most members
   * @param bytesMax the most bytes of the stream
   */
  TarReader(TarSource source, long entriesMax, long bytesMax) {
    this.source = source;
    this.entriesMax = entriesMax;
    this.bytesMax = bytesMax;
  }

  /** How many members {@link #next} has given. */
  long members() {
    return members;
  }

  /** How many bytes of the stream have been read. */
  long offsetBytes() {
    return offsetBytes;
  }

  /** Where the first header of the last member begins. */
  long headerOffset() {
    return headerOffset;
  }

  /** How many bytes of the stream the members so far take. */
  long endOffsetBytes() {
    return offsetBytes + contentLeft + contentPadding;
  }

  /**
   * All content of the last member, none of it read so far, if it is in memory in one piece; else
   * null. It is still to be read, or passed over, after that. Good as {@link #content} is.
   */
  @Nullable ByteBuffer wholeContent() {
    return contentLeft <= piece.remaining()
        ? piece.slice(piece.position(), (int) contentLeft)
        : null;
  }

  /**
   * The next member, or null where the archive ends in order; what is left of the content of the
   * one before is skipped.
   */
  @Nullable TarMember next() throws IOException {
    skip(contentLeft + contentPadding);
    contentLeft = 0;
    contentPadding = 0;
    pax = null;
    longName = null;
    longLink = null;
    headerOffset = offsetBytes;
    while (true) {
      readFully(header, BLOCK_BYTES);
      if (isZero(header)) {
        end();
        return null;
      }
      TarMember member = header();
      if (member != null) {
        return counted(member);
      }
    }
  }

  /**
   * The next piece of the content of the last member, null at its end. The buffer is direct and
   * good until the next call of any method.
   */
  @Nullable ByteBuffer content() throws IOException {
    if (contentLeft == 0) {
      return null;
    }
    fill();
    int length = (int) Math.min(contentLeft, piece.remaining());
    ByteBuffer part = piece.slice(piece.position(), length);
    consume(length);
    contentLeft -= length;
    return part;
  }

  private TarMember counted(TarMember member) throws BadLayerException {
    members++;
    if (members > entriesMax) {
      throw new BadLayerException("it has more than " + entriesMax + " entries");
    }
    if (member.sizeBytes() > bytesMax - offsetBytes) {
      throw new BadLayerException(
          member.path(),
          "with its "
              + member.sizeBytes()
              + " bytes the layer is larger than the limit of "
              + bytesMax
              + " bytes");
    }
    contentLeft = member.sizeBytes();
    contentPadding = (int) (-contentLeft & (BLOCK_BYTES - 1));
    return member;
  }

  /** A member, or null after a header that belongs to the one that follows. */
  private @Nullable TarMember header() throws IOException {
    checkSum();
    byte type = header[156];
    long size = TarNumbers.field(header, 124, 12);
    switch (type) {
      case 'x', 'X' -> {
        once(pax);
        pax = PaxRecords.parse(longContent(size));
      }
      case 'g' -> globalHeader(longContent(size));
      case 'L' -> {
        once(longName);
        longName = untilNul(longContent(size));
      }
      case 'K' -> {
        once(longLink);
        longLink = untilNul(longContent(size));
      }
      default -> {
        return member(type, size);
      }
    }
    return null;
  }

  private TarMember member(byte type, long headerSize) throws IOException {
    PaxRecords records = pax == null ? PaxRecords.parse(new byte[0]) : pax;
    byte[] path = path(records);
    try {
      if (records.refusal() != null) {
        throw new BadLayerException(records.refusal());
      }
      TarMember.Type kind = type(type, path);
      long size = records.size(headerSize);
      if (size < 0) {
        throw new BadLayerException("has a negative size");
      }
      if (kind != TarMember.Type.FILE && size != 0) {
        throw new BadLayerException("has content, and is no file");
      }
      TarMember.Owner owner =
          new TarMember.Owner(
              id(records.uid(TarNumbers.field(header, 108, 8)), "user"),
              id(records.gid(TarNumbers.field(header, 116, 8)), "group"),
              (int) TarNumbers.field(header, 100, 8) & 0xFFF);
      return new TarMember(
          path,
          kind,
          linkTarget(records),
          owner,
          size,
          records.mtime(TarNumbers.field(header, 136, 12)),
          device(kind),
          records.xattrs());
    } catch (BadLayerException e) {
      throw new BadLayerException(path, String.valueOf(e.getMessage()));
    }
  }

  private byte[] path(PaxRecords records) {
    byte[] fromPax = records.path();
    if (fromPax != null) {
      return fromPax;
    }
    if (longName != null) {
      return longName;
    }
    byte[] name = text(0, 100);
    boolean posix = header[257] == 'u' && header[262] == 0;
    byte[] prefix = posix ? text(345, 155) : new byte[0];
    if (prefix.length == 0) {
      return name;
    }
    byte[] path = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    path[prefix.length] = '/';
    System.arraycopy(name, 0, path, prefix.length + 1, name.length);
    return path;
  }

  private byte[] linkTarget(PaxRecords records) {
    byte[] fromPax = records.linkPath();
    if (fromPax != null) {
      return fromPax;
    }
    return longLink != null ? longLink : text(157, 100);
  }

  private static TarMember.Type type(byte type, byte[] path) throws BadLayerException {
    return switch (type) {
      case 0, '0' ->
          path.length > 0 && path[path.length - 1] == '/'
              ? TarMember.Type.DIRECTORY
              : TarMember.Type.FILE;
      case '7' -> TarMember.Type.FILE;
      case '1' -> TarMember.Type.HARD_LINK;
      case '2' -> TarMember.Type.SYMLINK;
      case '3' -> TarMember.Type.CHARACTER_DEVICE;
      case '4' -> TarMember.Type.BLOCK_DEVICE;
      case '5' -> TarMember.Type.DIRECTORY;
      case '6' -> TarMember.Type.FIFO;
      case 'S' -> throw new BadLayerException(SPARSE);
      default ->
          throw new BadLayerException("is of a type that no layer has (" + (type & 0xFF) + ")");
    };
  }

  private long device(TarMember.Type kind) throws BadLayerException {
    if (kind != TarMember.Type.CHARACTER_DEVICE && kind != TarMember.Type.BLOCK_DEVICE) {
      return 0;
    }
    long major = TarNumbers.field(header, 329, 8);
    long minor = TarNumbers.field(header, 337, 8);
    // The kernel cuts larger numbers off, so that one of them would become 0/0, a whiteout.
    if (major < 0 || major > 0xFFF || minor < 0 || minor > 0xFFFFF) {
      throw new BadLayerException("has a device number that Linux does not have");
    }
    return Stat.device((int) major, (int) minor);
  }

  private static long id(long id, String what) throws BadLayerException {
    // The largest number means "leave as it is" to chown(2).
    if (id < 0 || id >= 0xFFFFFFFFL) {
      throw new BadLayerException("has the " + what + " id " + id + ", which no " + what + " has");
    }
    return id;
  }

  private static void once(@Nullable Object before) throws BadLayerException {
    if (before != null) {
      throw new BadLayerException("two long headers of one kind before one entry");
    }
  }

  private static void globalHeader(byte[] content) throws BadLayerException {
    PaxRecords global = PaxRecords.parse(content);
    boolean sets =
        global.path() != null
            || global.linkPath() != null
            || global.size(-1) != -1
            || global.uid(-1) != -1
            || global.gid(-1) != -1
            || !global.mtime(0).equals(new Stat.Time(0, 0))
            || global.refusal() != null
            || !global.xattrs().isEmpty();
    if (sets) {
      throw new BadLayerException("a global PAX header changes all entries, which no layer needs");
    }
  }

  private byte[] longContent(long size) throws IOException {
    if (size < 0 || size > PaxRecords.HEADER_BYTES_MAX) {
      throw new BadLayerException(
          "a header of " + size + " bytes; at most " + PaxRecords.HEADER_BYTES_MAX + " may be");
    }
    byte[] content = new byte[(int) size];
    readFully(content, content.length);
    skip(-size & (BLOCK_BYTES - 1));
    return content;
  }

  private void checkSum() throws BadLayerException {
    int unsigned = 0;
    int signed = 0;
    for (int i = 0; i < BLOCK_BYTES; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : header[i];
      unsigned += b & 0xFF;
      signed += b;
    }
    long stated = TarNumbers.field(header, 148, 8);
    if (stated != unsigned && stated != signed) {
      throw new BadLayerException("the header's checksum is wrong: damaged, or no tar archive");
    }
  }

  private void end() throws IOException {
    readFully(header, BLOCK_BYTES);
    if (!isZero(header)) {
      throw new BadLayerException("a block of zeros stands between its entries");
    }
    long padding = 0;
    while (fillIfThere()) {
      padding += piece.remaining();
      if (padding > PADDING_BYTES_MAX) {
        throw new BadLayerException("it goes on after its end");
      }
      while (piece.hasRemaining()) {
        if (piece.get() != 0) {
          throw new BadLayerException("there is more after its end, which is no tar");
        }
        offsetBytes++;
      }
    }
  }

  private void readFully(byte[] into, int length) throws IOException {
    int at = 0;
    while (at < length) {
      fill();
      int part = Math.min(length - at, piece.remaining());
      piece.get(piece.position(), into, at, part);
      consume(part);
      at += part;
    }
  }

  private void skip(long length) throws IOException {
    long left = length;
    while (left > 0) {
      fill();
      int part = (int) Math.min(left, piece.remaining());
      consume(part);
      left -= part;
    }
  }

  private void consume(int length) throws BadLayerException {
    piece.position(piece.position() + length);
    offsetBytes += length;
    if (offsetBytes > bytesMax) {
      throw new BadLayerException("it is larger than the limit of " + bytesMax + " bytes");
    }
  }

  private void fill() throws IOException {
    if (!fillIfThere()) {
      throw new BadLayerException("it ends too early: truncated");
    }
  }

  private boolean fillIfThere() throws IOException {
    while (!piece.hasRemaining()) {
      ByteBuffer following = source.next();
      if (following == null) {
        return false;
      }
      piece = following;
    }
    return true;
  }

  private byte[] text(int offset, int length) {
    return untilNul(Arrays.copyOfRange(header, offset, offset + length));
  }

  private static byte[] untilNul(byte[] text) {
    for (int i = 0; i < text.length; i++) {
      if (text[i] == 0) {
        return Arrays.copyOf(text, i);
      }
    }
    return text;
  }

  private static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }
}
