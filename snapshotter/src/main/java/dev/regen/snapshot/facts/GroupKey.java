package dev.regen.snapshot.facts;

import java.nio.ByteBuffer;
import java.security.MessageDigest;

/**
 * The SHA-256 of all that {@code lstat(2)} tells of the entries of a group, in order, and of what
 * else decides about its bytes in an archive. Groups of one key are the same to the byte.
 */
public record GroupKey(long a, long b, long c, long d) {
  static final int BYTES = 32;

  /** Ends {@code sha256} and makes a key of it. */
  public static GroupKey of(MessageDigest sha256) {
    return read(ByteBuffer.wrap(sha256.digest()));
  }

  static GroupKey read(ByteBuffer from) {
    return new GroupKey(from.getLong(), from.getLong(), from.getLong(), from.getLong());
  }

  void write(ByteBuffer to) {
    to.putLong(a).putLong(b).putLong(c).putLong(d);
  }
}
