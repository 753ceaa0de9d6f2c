package dev.regen.snapshot;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The SHA-256 of some bytes, which names them.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record Digest(String hex) {
  private static final int HEX_DIGITS = 64;
  private static final String PREFIX = "sha256:";

  public Digest {
    if (!isHex(hex)) {
      throw new IllegalArgumentException("not a SHA-256 digest");
    }
  }

  /** A regular expression would take a tenth of what comparing a small chunk takes. */
  private static boolean isHex(String text) {
    boolean fits = text.length() == HEX_DIGITS;
    for (int i = 0; fits && i < HEX_DIGITS; i++) {
      char digit = text.charAt(i);
      fits = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
    }
    return fits;
  }

  /** The digest of the buffer's rest, which is read to its end. */
  public static Digest of(ByteBuffer bytes) {
    MessageDigest sha256 = sha256();
    sha256.update(bytes);
    return of(sha256);
  }

  /** Ends {@code sha256} and names what it was given. */
  public static Digest of(MessageDigest sha256) {
    return new Digest(java.util.HexFormat.of().formatHex(sha256.digest()));
  }

  /** Reads {@code sha256:…}. */
  public static Digest parse(String text) {
    if (!text.startsWith(PREFIX)) {
      throw new IllegalArgumentException("not a SHA-256 digest");
    }
    return new Digest(text.substring(PREFIX.length()));
  }

  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** {@code sha256:} and the digits. */
  @Override
  public String toString() {
    return PREFIX + hex;
  }
}
