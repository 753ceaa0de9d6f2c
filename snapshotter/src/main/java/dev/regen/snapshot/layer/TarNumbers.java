package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.nio.charset.StandardCharsets;

/** Numbers as tar headers and PAX records write them. */
final class TarNumbers {
  private static final int NANO_DIGITS = 9;

  private TarNumbers() {}

  /** A numeric header field: octal digits, or two's complement after a byte of 0x80 or 0xFF. */
  static long field(byte[] header, int offset, int length) throws BadLayerException {
    if ((header[offset] & 0x80) != 0) {
      return binary(header, offset, length);
    }
    int at = offset;
    int end = offset + length;
    while (at < end && header[at] == ' ') {
      at++;
    }
    long value = 0;
    while (at < end && header[at] >= '0' && header[at] <= '7') {
      value = (value << 3) | (header[at] - '0');
      at++;
    }
    for (; at < end; at++) {
      if (header[at] != 0 && header[at] != ' ') {
        throw new BadLayerException("a number in its header has a wrong digit");
      }
    }
    return value;
  }

  private static long binary(byte[] header, int offset, int length) throws BadLayerException {
    boolean negative = (header[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = 0; i < length; i++) {
      int digit = header[offset + i] & 0xFF;
      if (i == 0) {
        digit = negative ? digit : digit & 0x3F;
      }
      if (value > Long.MAX_VALUE >> 8 || value < Long.MIN_VALUE >> 8) {
        throw new BadLayerException("a number in its header is too large");
      }
      value = (value << 8) | digit;
    }
    return value;
  }

  /** A decimal number of a PAX record, not negative. */
  static long decimal(byte[] text) throws BadLayerException {
    if (text.length == 0 || text.length > 19) {
      throw new BadLayerException("a number in a PAX record is empty or too long");
    }
    long value = 0;
    for (byte digit : text) {
      if (digit < '0' || digit > '9') {
        throw new BadLayerException("a number in a PAX record has a wrong digit");
      }
      value = value * 10 + (digit - '0');
    }
    if (value < 0) {
      throw new BadLayerException("a number in a PAX record is too large");
    }
    return value;
  }

  /** A time of a PAX record: seconds with a sign and any number of decimals. */
  static Stat.Time time(byte[] text) throws BadLayerException {
    String all = new String(text, StandardCharsets.ISO_8859_1);
    boolean negative = all.startsWith("-");
    String digits = negative ? all.substring(1) : all;
    int point = digits.indexOf('.');
    long seconds =
        decimal(
            (point < 0 ? digits : digits.substring(0, point))
                .getBytes(StandardCharsets.ISO_8859_1));
    int nanos = point < 0 ? 0 : nanos(digits.substring(point + 1));
    if (!negative) {
      return new Stat.Time(seconds, nanos);
    }
    return nanos == 0
        ? new Stat.Time(-seconds, 0)
        : new Stat.Time(-seconds - 1, 1_000_000_000 - nanos);
  }

  private static int nanos(String decimals) throws BadLayerException {
    String nine = (decimals + "000000000").substring(0, NANO_DIGITS);
    return (int) decimal(nine.getBytes(StandardCharsets.ISO_8859_1));
  }
}
