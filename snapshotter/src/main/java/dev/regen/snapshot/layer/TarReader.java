package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
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
  /** Tar fills its last record with zeros; more than this is no padding. */
  private static final long PADDING_BYTES_MAX = 1 << 20;

  private final TarInput input;
  private final long entriesMax;
  private final long bytesMax;
  private final TarBlock block = new TarBlock();
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
    this.input = new TarInput(source, bytesMax);
    this.entriesMax = entriesMax;
    this.bytesMax = bytesMax;
  }

  /** How many members {@link #next} has given. */
  long members() {
    return members;
  }

  /** How many bytes of the stream have been read. */
  long offsetBytes() {
    return input.offsetBytes();
  }

  /** Where the first header of the last member begins. */
  long headerOffset() {
    return headerOffset;
  }

  /** How many bytes of the stream the members so far take. */
  long endOffsetBytes() {
    return offsetBytes() + contentLeft + contentPadding;
  }

  /**
   * All content of the last member, none of it read so far, if it is in memory in one piece; else
   * null. It is still to be read, or passed over, after that. Good as {@link #content} is.
   */
  @Nullable ByteBuffer wholeContent() {
    return input.peek(contentLeft);
  }

  /**
   * The next member, or null where the archive ends in order; what is left of the content of the
   * one before is skipped.
   */
  @Nullable TarMember next() throws IOException {
    input.skip(contentLeft + contentPadding);
    contentLeft = 0;
    contentPadding = 0;
    pax = null;
    longName = null;
    longLink = null;
    headerOffset = offsetBytes();
    while (true) {
      block.read(input);
      if (block.isZero()) {
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
    ByteBuffer part = input.some(contentLeft);
    contentLeft -= part.remaining();
    return part;
  }

  private TarMember counted(TarMember member) throws BadLayerException {
    members++;
    if (members > entriesMax) {
      throw new BadLayerException("it has more than " + entriesMax + " entries");
    }
    if (member.sizeBytes() > bytesMax - offsetBytes()) {
      throw new BadLayerException(
          member.path(),
          "with its "
              + member.sizeBytes()
              + " bytes the layer is larger than the limit of "
              + bytesMax
              + " bytes");
    }
    contentLeft = member.sizeBytes();
    contentPadding = (int) (-contentLeft & (TarBlock.BYTES - 1));
    return member;
  }

  /** A member, or null after a header that belongs to the one that follows. */
  private @Nullable TarMember header() throws IOException {
    checkBlock();
    long size = block.size();
    switch (block.type()) {
      case 'x', 'X' -> {
        once(pax);
        pax = PaxRecords.parse(longContent(size));
      }
      case 'g' -> globalHeader(longContent(size));
      case 'L' -> {
        once(longName);
        longName = TarBlock.untilNul(longContent(size));
      }
      case 'K' -> {
        once(longLink);
        longLink = TarBlock.untilNul(longContent(size));
      }
      default -> {
        PaxRecords records = pax == null ? PaxRecords.parse(new byte[0]) : pax;
        return block.member(records, longName, longLink);
      }
    }
    return null;
  }

  /** Where not even the first block is one, the rest needs no further word. */
  private void checkBlock() throws BadLayerException {
    try {
      block.checkSum();
    } catch (BadLayerException e) {
      throw members == 0 && offsetBytes() == TarBlock.BYTES
          ? new BadLayerException(TarInput.NO_TAR)
          : e;
    }
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
    input.readFully(content, content.length);
    input.skip(-size & (TarBlock.BYTES - 1));
    return content;
  }

  private void end() throws IOException {
    block.read(input);
    if (!block.isZero()) {
      throw new BadLayerException("a block of zeros stands between its entries");
    }
    input.padding(PADDING_BYTES_MAX);
  }
}
