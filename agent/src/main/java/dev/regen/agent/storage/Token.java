package dev.regen.agent.storage;

import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.Digest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** What a request must bear to be served. */
final class Token {
  private static final String BEARER = "Bearer ";

  private final byte @Nullable [] expected;

  /** The token itself; null serves everybody. */
  Token(@Nullable String token) {
    this.expected = token == null ? null : digest(token);
  }

  /**
   * Lets a request pass; how long that takes tells nothing about the token.
   *
   * @throws StatusException 401 if it bears no token, 403 if it bears another
   */
  void check(Request request) throws StatusException {
    if (expected == null) {
      return;
    }
    String given = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    if (given == null || !given.startsWith(BEARER)) {
      throw new StatusException(
          401,
          "this server wants a token (Authorization: Bearer …): put it into a file, and '?token-file=FILE' behind the URL");
    }
    // Digests are of one length, so that not even the token's length shows.
    if (!MessageDigest.isEqual(expected, digest(given.substring(BEARER.length())))) {
      throw new StatusException(
          403, "the token is not this server's: see the file that 'token-file' in the URL names");
    }
  }

  private static byte[] digest(String token) {
    return Digest.sha256().digest(token.getBytes(StandardCharsets.ISO_8859_1));
  }
}
