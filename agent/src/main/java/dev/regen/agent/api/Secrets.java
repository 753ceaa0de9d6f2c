package dev.regen.agent.api;

import dev.regen.snapshot.Digest;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/** Makes tokens: {@code rgn_} and 256 random bits, so that a plain digest is enough to keep. */
public final class Secrets {
  private static final String PREFIX = "rgn_";
  private static final int BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  private Secrets() {}

  /** A new token. */
  public static String make() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** What is kept of a token. */
  public static String sha256(String token) {
    return HexFormat.of().formatHex(Digest.sha256().digest(token.getBytes(StandardCharsets.UTF_8)));
  }
}
