package dev.regen.snapshot.image;

import java.nio.charset.StandardCharsets;

/** What stands around the files of a plain tar: ustar headers, padding, the end. */
final class TarOut {
  static final int BLOCK = 512;
  static final byte[] END = new byte[2 * BLOCK];

  private static final int NAME_BYTES = 100;
  private static final long OCTAL_11_MAX = 077777777777L;

  private TarOut() {}

  /**
   * The header of a file that root owns and everybody may read, of 1970.
   *
   * @param name up to 100 ASCII characters
   */
  static byte[] header(String name, long sizeBytes) {
    byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
    if (ascii.length > NAME_BYTES || sizeBytes < 0) {
      throw new IllegalArgumentException("no name or size for this header: " + name);
    }
    byte[] block = new byte[BLOCK];
    System.arraycopy(ascii, 0, block, 0, ascii.length);
    octal(block, 100, 8, 0644);
    octal(block, 108, 8, 0);
    octal(block, 116, 8, 0);
    size(block, sizeBytes);
    octal(block, 136, 12, 0);
    block[156] = '0';
    System.arraycopy("ustar\00000".getBytes(StandardCharsets.US_ASCII), 0, block, 257, 8);
    int sum = 8 * ' ';
    for (byte b : block) {
      sum += b & 0xFF;
    }
    octal(block, 148, 7, sum);
    block[155] = ' ';
    return block;
  }

  /** What fills a file's last block. */
  static byte[] padding(long sizeBytes) {
    return new byte[(int) (-sizeBytes & (BLOCK - 1))];
  }

  /** Above 8 GiB as GNU tar and star write it, and Go reads it: the number itself. */
  private static void size(byte[] block, long sizeBytes) {
    if (sizeBytes <= OCTAL_11_MAX) {
      octal(block, 124, 12, sizeBytes);
      return;
    }
    long left = sizeBytes;
    for (int i = 135; i > 124; i--) {
      block[i] = (byte) left;
      left >>>= 8;
    }
    block[124] = (byte) 0x80;
  }

  private static void octal(byte[] block, int at, int width, long value) {
    long left = value;
    for (int i = at + width - 2; i >= at; i--) {
      block[i] = (byte) ('0' + (left & 7));
      left >>>= 3;
    }
  }
}
