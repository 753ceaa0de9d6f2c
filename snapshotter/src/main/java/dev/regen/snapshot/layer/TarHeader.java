package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Builds the headers of one tar member at a time: ustar, with a PAX header before it where ustar
 * cannot say it. The same member gives the same bytes, always.
 *
 * <p>Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header". Values that
 * are not text in UTF-8 are written as the bytes they are, and announced with {@code
 * hdrcharset=BINARY}.
 */
final class TarHeader {
  static final byte FILE = '0';
  static final byte HARD_LINK = '1';
  static final byte SYMLINK = '2';
  static final byte CHARACTER_DEVICE = '3';
  static final byte BLOCK_DEVICE = '4';
  static final byte DIRECTORY = '5';
  static final byte FIFO = '6';
  private static final byte PAX = 'x';

  private static final int BLOCK = EntryIndex.BLOCK;
  private static final int NAME_BYTES = 100;
  private static final long OCTAL_7 = 07777777;
  private static final long OCTAL_11 = 077777777777L;
  private static final int NANOS_DIGITS = 9;
  private static final byte[] PAX_NAME = ascii("PaxHeaders/entry");
  private static final byte[] XATTR = ascii("SCHILY.xattr.");
  private static final byte[] MAGIC = ascii("ustar\00000");

  /**
   * What a member is.
   *
   * @param name as stored, with a slash at the end if it is a directory
   * @param link target of a link, as stored, else empty
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Member(
      byte type,
      byte[] name,
      byte[] link,
      int mode,
      long uid,
      long gid,
      Stat.Time mtime,
      long size,
      long rdev,
      List<Xattr> xattrs) {}

  private byte[] bytes = new byte[4 * BLOCK];
  private int length;

  /** The headers, valid until the next call, up to {@link #length}. */
  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  /** Builds the headers of {@code member}. */
  void build(Member member) {
    length = 0;
    grow(BLOCK);
    length = BLOCK;
    records(member);
    int records = length - BLOCK;
    if (records == 0) {
      length = 0;
    } else {
      int padded = (int) EntryIndex.padded(records);
      grow(padded - records);
      length = BLOCK + padded;
      Member pax =
          new Member(PAX, PAX_NAME, EntryIndex.NO_BYTES, 0644, 0, 0, EPOCH, records, 0, List.of());
      ustar(0, pax);
    }
    grow(BLOCK);
    ustar(length, member);
    length += BLOCK;
  }

  private static final Stat.Time EPOCH = new Stat.Time(0, 0);

  private void records(Member member) {
    boolean binary = false;
    boolean longName = member.name.length > NAME_BYTES || !isAscii(member.name);
    boolean longLink = member.link.length > NAME_BYTES || !isAscii(member.link);
    if ((longName && !isUtf8(member.name)) || (longLink && !isUtf8(member.link))) {
      binary = true;
    }
    if (binary) {
      record("hdrcharset", ascii("BINARY"));
    }
    if (longName) {
      record("path", member.name);
    }
    if (longLink) {
      record("linkpath", member.link);
    }
    if (member.size > OCTAL_11) {
      record("size", ascii(Long.toString(member.size)));
    }
    if (member.uid > OCTAL_7) {
      record("uid", ascii(Long.toString(member.uid)));
    }
    if (member.gid > OCTAL_7) {
      record("gid", ascii(Long.toString(member.gid)));
    }
    Stat.Time mtime = member.mtime;
    if (mtime.nanos() != 0 || mtime.seconds() < 0 || mtime.seconds() > OCTAL_11) {
      record("mtime", ascii(decimal(mtime)));
    }
    for (Xattr xattr : member.xattrs) {
      record(joined(XATTR, encoded(xattr.name())), xattr.value());
    }
  }

  /** Seconds with their fraction; before 1970 both count backwards. */
  static String decimal(Stat.Time time) {
    long seconds = time.seconds();
    int nanos = time.nanos();
    String sign = "";
    if (seconds < 0) {
      sign = "-";
      seconds = nanos == 0 ? -seconds : -(seconds + 1);
      nanos = nanos == 0 ? 0 : 1_000_000_000 - nanos;
    }
    if (nanos == 0) {
      return sign + seconds;
    }
    String digits = Integer.toString(1_000_000_000 + nanos).substring(1);
    int end = NANOS_DIGITS;
    while (digits.charAt(end - 1) == '0') {
      end--;
    }
    return sign + seconds + "." + digits.substring(0, end);
  }

  private void record(String key, byte[] value) {
    record(ascii(key), value);
  }

  /** {@code LENGTH KEY=VALUE\n}, where the length counts its own digits. */
  private void record(byte[] key, byte[] value) {
    int rest = 1 + key.length + 1 + value.length + 1;
    int total = rest + digits(rest);
    total = rest + digits(total);
    grow(total);
    put(ascii(Integer.toString(total)));
    bytes[length++] = ' ';
    put(key);
    bytes[length++] = '=';
    put(value);
    bytes[length++] = '\n';
  }

  private static int digits(int number) {
    return Integer.toString(number).length();
  }

  private void put(byte[] from) {
    System.arraycopy(from, 0, bytes, length, from.length);
    length += from.length;
  }

  private void grow(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
    }
    Arrays.fill(bytes, length, length + more, (byte) 0);
  }

  /** Writes one header block; a number that does not fit is 0 there and stands in the records. */
  private void ustar(int at, Member member) {
    text(at, member.name);
    octal(at + 100, 8, member.mode);
    octal(at + 108, 8, member.uid);
    octal(at + 116, 8, member.gid);
    octal(at + 124, 12, member.size);
    octal(at + 136, 12, member.mtime.seconds());
    bytes[at + 156] = member.type;
    text(at + 157, member.link);
    System.arraycopy(MAGIC, 0, bytes, at + 257, MAGIC.length);
    octal(at + 329, 8, Stat.major(member.rdev));
    octal(at + 337, 8, Stat.minor(member.rdev));
    int sum = 8 * ' ';
    for (int i = at; i < at + BLOCK; i++) {
      sum += bytes[i] & 0xFF;
    }
    octal(at + 148, 7, sum);
    bytes[at + 155] = ' ';
  }

  private void text(int at, byte[] value) {
    System.arraycopy(value, 0, bytes, at, Math.min(value.length, NAME_BYTES));
  }

  private void octal(int at, int width, long value) {
    long most = (1L << (3 * (width - 1))) - 1;
    long rest = value < 0 || value > most ? 0 : value;
    for (int i = at + width - 2; i >= at; i--) {
      bytes[i] = (byte) ('0' + (rest & 7));
      rest >>>= 3;
    }
    bytes[at + width - 1] = 0;
  }

  private static boolean isAscii(byte[] text) {
    for (byte b : text) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isUtf8(byte[] text) {
    try {
      var _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** A key must not hold an equals sign; written as GNU tar does. */
  private static byte[] encoded(byte[] name) {
    String text = new String(name, StandardCharsets.ISO_8859_1);
    if (text.indexOf('=') < 0 && text.indexOf('%') < 0) {
      return name;
    }
    return text.replace("%", "%25").replace("=", "%3D").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] joined(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
