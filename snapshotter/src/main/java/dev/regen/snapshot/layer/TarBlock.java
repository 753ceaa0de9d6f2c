package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The header block of a tar member, v7, ustar or GNU, as it was read: its fields are hostile.
 *
 * <p>Source: POSIX.1-2017, pax, "ustar Interchange Format".
 */
final class TarBlock {
  static final int BYTES = 512;
  static final String SPARSE =
      "is a GNU sparse member, which container engines don't read; make the archive without"
          + " tar's -S (--sparse)";

  private final byte[] bytes = new byte[BYTES];

  /** Reads the next block in place of this one. */
  void read(TarInput input) throws IOException {
    input.readFully(bytes, BYTES);
  }

  boolean isZero() {
    for (byte b : bytes) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  void checkSum() throws BadLayerException {
    int unsigned = 0;
    int signed = 0;
    for (int i = 0; i < BYTES; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : bytes[i];
      unsigned += b & 0xFF;
      signed += b;
    }
    long stated = TarNumbers.field(bytes, 148, 8);
    if (stated != unsigned && stated != signed) {
      throw new BadLayerException("the header's checksum is wrong: damaged, or no tar archive");
    }
  }

  byte type() {
    return bytes[156];
  }

  long size() throws BadLayerException {
    return TarNumbers.field(bytes, 124, 12);
  }

  /**
   * The member that this block describes, with what stood before it.
   *
   * @param longName of a GNU header, likewise {@code longLink}; null if there was none
   */
  TarMember member(PaxRecords records, byte @Nullable [] longName, byte @Nullable [] longLink)
      throws IOException {
    byte[] path = path(records, longName);
    try {
      if (records.refusal() != null) {
        throw new BadLayerException(records.refusal());
      }
      TarMember.Type kind = kind(path);
      long size = records.size(size());
      if (size < 0) {
        throw new BadLayerException("has a negative size");
      }
      if (kind != TarMember.Type.FILE && size != 0) {
        throw new BadLayerException("has content, and is no file");
      }
      return new TarMember(
          path,
          kind,
          linkTarget(records, longLink),
          owner(records),
          size,
          records.mtime(TarNumbers.field(bytes, 136, 12)),
          device(kind),
          records.xattrs());
    } catch (BadLayerException e) {
      throw new BadLayerException(path, String.valueOf(e.getMessage()));
    }
  }

  private byte[] path(PaxRecords records, byte @Nullable [] longName) {
    byte[] fromPax = records.path();
    if (fromPax != null) {
      return fromPax;
    }
    if (longName != null) {
      return longName;
    }
    byte[] name = text(0, 100);
    boolean posix = bytes[257] == 'u' && bytes[262] == 0;
    byte[] prefix = posix ? text(345, 155) : new byte[0];
    if (prefix.length == 0) {
      return name;
    }
    byte[] path = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    path[prefix.length] = '/';
    System.arraycopy(name, 0, path, prefix.length + 1, name.length);
    return path;
  }

  private TarMember.Type kind(byte[] path) throws BadLayerException {
    return switch (type()) {
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
          throw new BadLayerException("is of a type that no layer has (" + (type() & 0xFF) + ")");
    };
  }

  private TarMember.Owner owner(PaxRecords records) throws BadLayerException {
    return new TarMember.Owner(
        id(records.uid(TarNumbers.field(bytes, 108, 8)), "user"),
        id(records.gid(TarNumbers.field(bytes, 116, 8)), "group"),
        (int) TarNumbers.field(bytes, 100, 8) & 0xFFF);
  }

  private static long id(long id, String what) throws BadLayerException {
    // The largest number means "leave as it is" to chown(2).
    if (id < 0 || id >= 0xFFFFFFFFL) {
      throw new BadLayerException("has the " + what + " id " + id + ", which no " + what + " has");
    }
    return id;
  }

  private byte[] linkTarget(PaxRecords records, byte @Nullable [] longLink) {
    byte[] fromPax = records.linkPath();
    if (fromPax != null) {
      return fromPax;
    }
    return longLink != null ? longLink : text(157, 100);
  }

  private long device(TarMember.Type kind) throws BadLayerException {
    if (kind != TarMember.Type.CHARACTER_DEVICE && kind != TarMember.Type.BLOCK_DEVICE) {
      return 0;
    }
    long major = TarNumbers.field(bytes, 329, 8);
    long minor = TarNumbers.field(bytes, 337, 8);
    // The kernel cuts larger numbers off, so that one of them would become 0/0, a whiteout.
    if (major < 0 || major > 0xFFF || minor < 0 || minor > 0xFFFFF) {
      throw new BadLayerException("has a device number that Linux does not have");
    }
    return Stat.device((int) major, (int) minor);
  }

  private byte[] text(int offset, int length) {
    return untilNul(Arrays.copyOfRange(bytes, offset, offset + length));
  }

  static byte[] untilNul(byte[] text) {
    for (int i = 0; i < text.length; i++) {
      if (text[i] == 0) {
        return Arrays.copyOf(text, i);
      }
    }
    return text;
  }
}
