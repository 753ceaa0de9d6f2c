package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.AuditLog;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Pages;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.api.Token;
import dev.regen.agent.api.Tokens;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** {@code /v1/tokens} and {@code /v1/audit}: who may ask, and who did. */
public final class AccessResource {
  private static final int DAYS_MAX = 3650;

  private final Tokens tokens;
  private final AuditLog audit;
  private final InstantSource clock;

  public AccessResource(Tokens tokens, AuditLog audit, InstantSource clock) {
    this.tokens = tokens;
    this.audit = audit;
    this.clock = clock;
  }

  public void addTo(Routes routes) {
    routes
        .add("listTokens", this::list)
        .add("addToken", this::add)
        .add("removeToken", this::remove)
        .add("listAudit", call -> Pages.newest(call, "audit", audit::newest));
  }

  private Answer list(Call call) throws IOException {
    Instant now = clock.instant();
    return Pages.of(call, "tokens", tokens.list(), Token::name, token -> token.shown(now));
  }

  private Answer add(Call call) throws IOException {
    JsonObject body = call.json();
    String name = body.string("name");
    Role role = Role.of(body.string("role"));
    long days = body.numberOr("expiresDays", 0);
    if (days < 0 || days > DAYS_MAX) {
      throw new RegenException.BadInput("a token lasts 1 to " + DAYS_MAX + " days, or 0: for ever");
    }
    String secret = tokens.add(name, role, days == 0 ? null : Duration.ofDays(days));
    for (Token token : tokens.list()) {
      if (token.name().equals(name)) {
        return Answer.ok(token.shown(clock.instant()).with("token", secret));
      }
    }
    throw new RegenException.NotFound("the token was removed at once");
  }

  private Answer remove(Call call) throws IOException {
    String name = call.part("token");
    tokens.remove(name);
    return Answer.ok(new JsonObject().with("removed", name));
  }
}
