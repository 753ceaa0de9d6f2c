package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of a token: not the token.
 *
 * @param name of who has it
 * @param sha256 of the token, 64 hexadecimal digits
 * @param expires from then on it is nobody's; null for never
 */
public record Token(
    String name, Role role, String sha256, Instant created, @Nullable Instant expires) {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.@-]{0,62}");
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  public Token {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a token's name has letters, digits, '_', '.', '@', '-', at most 63, the first a letter or"
              + " digit");
    }
    if (!DIGEST.matcher(sha256).matches()) {
      throw new IllegalArgumentException("the token of " + name + " has no SHA-256");
    }
  }

  boolean hasExpired(Instant now) {
    return expires != null && !now.isBefore(expires);
  }

  JsonObject json() {
    return new JsonObject()
        .with("name", name)
        .with("role", role.word())
        .with("sha256", sha256)
        .with("created", created)
        .with("expires", expires);
  }

  /** What others may know of it. */
  public JsonObject shown(Instant now) {
    return new JsonObject()
        .with("name", name)
        .with("role", role.word())
        .with("created", created)
        .with("expires", expires)
        .with("expired", hasExpired(now));
  }

  static Token of(JsonObject json) throws IOException {
    return new Token(
        json.string("name"),
        Role.of(json.string("role")),
        json.string("sha256"),
        json.instant("created"),
        json.has("expires") ? json.instant("expires") : null);
  }
}
