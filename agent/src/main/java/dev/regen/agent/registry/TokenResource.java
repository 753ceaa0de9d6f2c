package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.eclipse.jetty.server.Request;

/**
 * Gives tokens to those who log in, and to those who do not for what everybody may. A token grants
 * what of the scopes asked for its bearer may.
 *
 * <p>Source: Docker's "Token Authentication Specification".
 */
final class TokenResource {
  static final String PATH = "/token";
  private static final int SCOPES_MAX = 100;
  private static final int SCOPE_CHARACTERS_MAX = 1_000;

  private final Access access;

  TokenResource(Access access) {
    this.access = access;
  }

  void answer(Exchange exchange) throws IOException {
    if (!exchange.method().equals("GET")) {
      // Clients that try OAuth first turn to GET for this.
      exchange.set("Allow", "GET");
      throw new RegistryException(RegistryException.Code.UNSUPPORTED, "tokens are had with GET");
    }
    String user;
    try {
      user = access.user(exchange);
    } catch (RegistryException e) {
      exchange.set("WWW-Authenticate", "Basic realm=\"" + Tokens.SERVICE + "\"");
      throw e;
    }
    Access.Rights rights = access.of(user);
    Set<Tokens.Grant> grants = new LinkedHashSet<>();
    List<String> scopes =
        Request.extractQueryParameters(exchange.request()).getValuesOrEmpty("scope");
    for (String scope : scopes.subList(0, Math.min(SCOPES_MAX, scopes.size()))) {
      if (scope.length() <= SCOPE_CHARACTERS_MAX) {
        for (String one : scope.split(" ", -1)) {
          grant(one, rights, grants);
        }
      }
    }
    String token = access.tokens().make(new Tokens.Content(user, grants));
    exchange.set("Cache-Control", "no-store");
    exchange.answer(
        200,
        "application/json",
        new JsonObject()
            .with("token", token)
            .with("access_token", token)
            .with("expires_in", Tokens.LIFE.toSeconds())
            .bytes());
  }

  private static void grant(String scope, Access.Rights rights, Set<Tokens.Grant> grants) {
    int first = scope.indexOf(':');
    int last = scope.lastIndexOf(':');
    if (first < 0
        || last == first
        || !scope.substring(0, first).equals("repository")
        || !RepositoryName.isValid(scope.substring(first + 1, last))) {
      return;
    }
    RepositoryName repository = new RepositoryName(scope.substring(first + 1, last));
    for (String action : scope.substring(last + 1).split(",", -1)) {
      for (Access.Right right : Access.Right.values()) {
        boolean asked = action.equals("*") || action.toUpperCase(Locale.ROOT).equals(right.name());
        if (asked && rights.may(repository, right)) {
          grants.add(new Tokens.Grant(repository.value(), right));
        }
      }
    }
  }
}
