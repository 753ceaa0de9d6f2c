package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** Those who bear a token. */
public final class TokenCallers implements ApiHandler.Callers {
  private static final int WRONG_BURST = 10;
  private static final double WRONG_PER_SECOND = 10 / 60.0;

  private final Known known;
  private final RateLimit wrong = wrongTokens();

  /** Whose token it is. */
  @FunctionalInterface
  public interface Known {
    /** Null if it is nobody's; the time it takes tells nothing of any token. */
    @Nullable Principal of(String token) throws IOException;
  }

  public TokenCallers(Known known) {
    this.known = known;
  }

  /** How often somebody may be wrong from one network. */
  static RateLimit wrongTokens() {
    return new RateLimit(WRONG_PER_SECOND, WRONG_BURST);
  }

  /** Those in a file. */
  public static TokenCallers of(Tokens tokens) {
    return new TokenCallers(secret -> {
      Token token = tokens.find(secret);
      return token == null ? null : new Principal(token.name(), token.role());
    });
  }

  /**
   * A right token is never refused: guessing is hopeless, and whoever shares an address with one
   * who guesses is not to suffer. The limit keeps the log and the audit log from filling.
   */
  @Override
  public Principal of(Request request) throws IOException {
    return of(Peers.of(request));
  }

  Principal of(Peer peer) throws IOException {
    String token = peer.token();
    if (token == null) {
      throw new ProblemException(
          Failure.Code.UNAUTHORIZED, "a token is needed (Authorization: Bearer …)");
    }
    Principal principal = known.of(token);
    if (principal != null) {
      return principal;
    }
    Duration later = wrong.take(network(peer.address()));
    if (later != null) {
      throw ProblemException.tooMany("too many wrong tokens came from there", later);
    }
    throw new ProblemException(
        Failure.Code.UNAUTHORIZED, "the token is wrong, has expired or was removed");
  }

  /** Whoever has one address of IPv6 has 2^64. */
  static String network(String address) {
    if (!address.contains(":")) {
      return address;
    }
    String[] groups = address.replaceAll("[\\[\\]]", "").split(":", -1);
    return String.join(":", Arrays.asList(groups).subList(0, Math.min(4, groups.length)));
  }
}
