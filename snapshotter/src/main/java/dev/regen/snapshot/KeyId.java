package dev.regen.snapshot;

import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Names a key, and tells nothing of it.
 *
 * @param hex 16 lower-case hexadecimal digits, random
 */
public record KeyId(String hex) {
  public static final int BYTES = 8;
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{16}");

  public KeyId {
    if (!FORM.matcher(hex).matches()) {
      throw new IllegalArgumentException("not the id of a key");
    }
  }

  /** The id that stands in {@link #BYTES} bytes at {@code offset}. */
  public static KeyId of(byte[] bytes, int offset) {
    return new KeyId(HexFormat.of().formatHex(bytes, offset, offset + BYTES));
  }

  public byte[] bytes() {
    return HexFormat.of().parseHex(hex);
  }

  @Override
  public String toString() {
    return hex;
  }
}
