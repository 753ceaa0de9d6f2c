package dev.regen.snapshot.registry;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a registry names content by: the digest of its bytes.
 *
 * @param hex lower-case hexadecimal digits, as many as the algorithm gives
 */
public record ContentDigest(Algorithm algorithm, String hex) {
  private static final int SHORT_DIGITS = 32;

  /** The algorithms that a client may use. */
  public enum Algorithm {
    SHA256("sha256", "SHA-256", 64),
    SHA512("sha512", "SHA-512", 128);

    private final String name;
    private final String javaName;
    private final int digits;

    Algorithm(String name, String javaName, int digits) {
      this.name = name;
      this.javaName = javaName;
      this.digits = digits;
    }

    public MessageDigest hasher() {
      try {
        return MessageDigest.getInstance(javaName);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java has " + javaName, e);
      }
    }

    /** The digest of what {@code hasher} was given, which it forgets. */
    public ContentDigest of(MessageDigest hasher) {
      return new ContentDigest(this, HexFormat.of().formatHex(hasher.digest()));
    }

    public ContentDigest of(byte[] content) {
      MessageDigest hasher = hasher();
      hasher.update(ByteBuffer.wrap(content));
      return of(hasher);
    }
  }

  public ContentDigest {
    boolean fits = hex.length() == algorithm.digits;
    for (int i = 0; fits && i < hex.length(); i++) {
      char digit = hex.charAt(i);
      fits = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "a digest of " + algorithm.name + " has " + algorithm.digits + " hexadecimal digits");
    }
  }

  /** Reads {@code sha256:…} or {@code sha512:…}. */
  public static ContentDigest parse(String text) {
    for (Algorithm algorithm : Algorithm.values()) {
      if (text.startsWith(algorithm.name + ":")) {
        return new ContentDigest(algorithm, text.substring(algorithm.name.length() + 1));
      }
    }
    throw new IllegalArgumentException("a digest begins with sha256: or sha512:");
  }

  /** Reads what {@link #key} gave. */
  static ContentDigest ofKey(String key) {
    return parse(key.replaceFirst("-", ":"));
  }

  /** Its name as a part of a record's name. */
  String key() {
    return algorithm.name + "-" + hex;
  }

  /** A text as a part of a record's name, of 32 digits whatever it is. */
  static String shortened(String text) {
    return Algorithm.SHA256
        .of(text.getBytes(StandardCharsets.UTF_8))
        .hex()
        .substring(0, SHORT_DIGITS);
  }

  /** {@code sha256:} or {@code sha512:} and the digits. */
  @Override
  public String toString() {
    return algorithm.name + ":" + hex;
  }
}
