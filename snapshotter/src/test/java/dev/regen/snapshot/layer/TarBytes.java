package dev.regen.snapshot.layer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A tar stream made by hand, so that anything may be wrong with it. */
final class TarBytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** One header block; what it says of its content need not follow. */
  static byte[] header(byte type, byte[] name, byte[] link, long size) {
    byte[] h = new byte[512];
    System.arraycopy(name, 0, h, 0, Math.min(name.length, 100));
    octal(h, 100, 8, type == '5' ? 0755 : 0644);
    octal(h, 108, 8, 0);
    octal(h, 116, 8, 0);
    octal(h, 124, 12, size);
    octal(h, 136, 12, 1_000_000_000);
    h[156] = type;
    System.arraycopy(link, 0, h, 157, Math.min(link.length, 100));
    put(h, 257, "ustar\00000");
    octal(h, 329, 8, 0);
    octal(h, 337, 8, 0);
    return summed(h);
  }

  /** Puts the right checksum in. */
  static byte[] summed(byte[] h) {
    Arrays.fill(h, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : h) {
      sum += b & 0xFF;
    }
    octal(h, 148, 7, sum);
    return h;
  }

  static void octal(byte[] h, int offset, int length, long value) {
    put(h, offset, String.format("%0" + (length - 1) + "o", value));
    h[offset + length - 1] = 0;
  }

  static void put(byte[] h, int offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, h, offset, bytes.length);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  TarBytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  TarBytes member(char type, String name, String link) {
    return raw(header((byte) type, bytes(name), bytes(link), 0));
  }

  TarBytes directory(String name) {
    return member('5', name, "");
  }

  TarBytes file(String name, String content) {
    return content((byte) '0', bytes(name), bytes(content));
  }

  TarBytes symlink(String name, String target) {
    return member('2', name, target);
  }

  TarBytes hardLink(String name, String target) {
    return member('1', name, target);
  }

  TarBytes device(char type, String name, int major, int minor) {
    byte[] h = header((byte) type, bytes(name), new byte[0], 0);
    octal(h, 329, 8, major);
    octal(h, 337, 8, minor);
    return raw(summed(h));
  }

  /** A PAX header for the next member: key and value in turn. */
  TarBytes pax(String... records) {
    StringBuilder content = new StringBuilder();
    for (int i = 0; i < records.length; i += 2) {
      content.append(record(records[i], records[i + 1]));
    }
    return content((byte) 'x', bytes("pax"), bytes(content.toString()));
  }

  static String record(String key, String value) {
    String rest = " " + key + "=" + value + "\n";
    int length = rest.length();
    while (length != rest.length() + Integer.toString(length).length()) {
      length = rest.length() + Integer.toString(length).length();
    }
    return length + rest;
  }

  TarBytes content(byte type, byte[] name, byte[] content) {
    raw(header(type, name, new byte[0], content.length));
    raw(content);
    return raw(new byte[-content.length & 511]);
  }

  byte[] end() {
    return raw(new byte[1024]).unended();
  }

  byte[] unended() {
    return out.toByteArray();
  }
}
