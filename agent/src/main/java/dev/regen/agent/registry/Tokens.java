package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that say for some minutes what their bearer may: what is granted, and until when, with an
 * HMAC-SHA-256 of that. Nobody but who has the key can make or change one; none is kept anywhere.
 */
final class Tokens {
  static final String SERVICE = "regen";

  /** For so long a token is valid; a right that is taken away ends no later. */
  static final Duration LIFE = Duration.ofMinutes(5);

  private static final String HMAC = "HmacSHA256";

  private final SecretKeySpec key;
  private final InstantSource clock;

  /** One thing that may be done. */
  record Grant(String repository, Access.Right right) {}

  /**
   * @param key at least 32 bytes; managers that share one accept each other's tokens
   */
  Tokens(byte[] key, InstantSource clock) {
    this.key = new SecretKeySpec(key, HMAC);
    this.clock = clock;
  }

  /** How a client asks for a right: {@code repository:NAME:pull}, with push {@code pull,push}. */
  static String scope(String repository, Access.Right right) {
    return "repository:"
        + repository
        + ":"
        + (right == Access.Right.PUSH ? "pull,push" : Access.word(right));
  }

  /**
   * What a token says.
   *
   * @param user to whom it was given; null for somebody without a name
   */
  record Content(@Nullable String user, Set<Grant> grants) {}

  String make(Content said) {
    List<String> texts = new ArrayList<>();
    for (Grant grant : said.grants()) {
      texts.add(grant.right() + " " + grant.repository());
    }
    byte[] content =
        new JsonObject()
            .with("until", clock.instant().plus(LIFE))
            .with("user", said.user())
            .with("grants", texts)
            .bytes();
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    return base64.encodeToString(content) + "." + base64.encodeToString(mac(content));
  }

  /** What a token says; null if it is none, or is over. */
  @Nullable Content read(String token) {
    try {
      int dot = token.indexOf('.');
      Base64.Decoder base64 = Base64.getUrlDecoder();
      byte[] content = base64.decode(token.substring(0, Math.max(0, dot)));
      if (dot < 0
          || !MessageDigest.isEqual(mac(content), base64.decode(token.substring(dot + 1)))) {
        return null;
      }
      JsonObject json = JsonObject.parse(new String(content, StandardCharsets.UTF_8));
      Instant until = json.instant("until");
      if (!clock.instant().isBefore(until)) {
        return null;
      }
      Set<Grant> grants = new LinkedHashSet<>();
      for (String text : json.strings("grants")) {
        int space = text.indexOf(' ');
        grants.add(
            new Grant(
                text.substring(space + 1),
                Access.Right.valueOf(text.substring(0, space).toUpperCase(Locale.ROOT))));
      }
      return new Content(json.stringOrNull("user"), grants);
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }

  private byte[] mac(byte[] content) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(key);
      return mac.doFinal(content);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has " + HMAC, e);
    }
  }
}
