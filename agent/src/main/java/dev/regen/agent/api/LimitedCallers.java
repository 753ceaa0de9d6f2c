package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.io.IOException;
import java.time.Duration;
import org.eclipse.jetty.server.Request;

/** Callers, who are told that they are nobody so often from one address, and no more. */
public final class LimitedCallers implements ApiHandler.Callers {
  private final ApiHandler.Callers callers;
  private final RateLimit wrong = TokenCallers.wrongTokens();

  public LimitedCallers(ApiHandler.Callers callers) {
    this.callers = callers;
  }

  @Override
  public Principal of(Request request) throws IOException, InterruptedException {
    try {
      return callers.of(request);
    } catch (ProblemException e) {
      if (e.failure().code() == Failure.Code.UNAUTHORIZED) {
        Duration later = wrong.take(TokenCallers.network(Peers.address(request)));
        if (later != null) {
          throw ProblemException.tooMany("too many wrong tokens came from there", later);
        }
      }
      throw e;
    }
  }
}
