package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/** Digests as a body: 32 bytes each, nothing between. */
public final class DigestList {
  public static final int DIGEST_BYTES = 32;

  private DigestList() {}

  public static byte[] encode(Collection<Digest> digests) {
    byte[] bytes = new byte[digests.size() * DIGEST_BYTES];
    int at = 0;
    for (Digest digest : digests) {
      System.arraycopy(HexFormat.of().parseHex(digest.hex()), 0, bytes, at, DIGEST_BYTES);
      at += DIGEST_BYTES;
    }
    return bytes;
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @throws IllegalArgumentException if the length is no multiple of {@link #DIGEST_BYTES}
   */
  public static List<Digest> decode(byte[] bytes) {
    if (bytes.length % DIGEST_BYTES != 0) {
      throw new IllegalArgumentException("a list of digests ends in the middle of one");
    }
    List<Digest> digests = new ArrayList<>(bytes.length / DIGEST_BYTES);
    for (int at = 0; at < bytes.length; at += DIGEST_BYTES) {
      digests.add(new Digest(HexFormat.of().formatHex(bytes, at, at + DIGEST_BYTES)));
    }
    return digests;
  }
}
