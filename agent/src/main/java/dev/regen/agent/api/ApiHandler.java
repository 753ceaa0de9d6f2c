package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import dev.regen.agent.tcp.Exchange;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From HTTP to the operations and back; failures become problem details here (RFC 9457), with the
 * member {@code code}.
 */
public final class ApiHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/json");

  private static final int BURST_SECONDS = 4;
  private static final String CHALLENGE = "Bearer realm=\"regen\"";
  private static final HttpField EVENTS =
      new HttpField(HttpHeader.CONTENT_TYPE, "text/event-stream");

  private static final HttpField NOT_KEPT = new HttpField(HttpHeader.CACHE_CONTROL, "no-store");

  private final Routes routes;
  private final Callers callers;
  private final ApiLimits limits;
  private final Semaphore followers;
  private final @Nullable RateLimit rate;

  /** Says who asks. */
  @FunctionalInterface
  public interface Callers {
    /**
     * The sender of a request.
     *
     * @throws ProblemException UNAUTHORIZED if nobody knows
     */
    Principal of(Request request) throws IOException, InterruptedException;
  }

  public ApiHandler(Routes routes, Callers callers, ApiLimits limits) {
    this.routes = routes;
    this.callers = callers;
    this.limits = limits;
    this.followers = new Semaphore(limits.followers());
    int perSecond = limits.requestsPerSecond();
    this.rate = perSecond == 0 ? null : new RateLimit(perSecond, perSecond * BURST_SECONDS);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Audited audited = new Audited(routes.audit(), Peers.address(request));
    Metered metered = new Metered(routes.meter(), audited);
    boolean begun = false;
    try {
      Answer answer = answer(request, audited);
      audited.answered(answer);
      begun = !(answer instanceof Answer.Json);
      if (!(answer instanceof Answer.Stream)) {
        metered.answered(answer instanceof Answer.Json json ? json.status() : 200);
      }
      send(answer, request, response);
      metered.answered(200);
      callback.succeeded();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      callback.failed(e);
    } catch (IOException | RuntimeException e) {
      Failure failure = ProblemException.failure(e);
      audited.failed(failure);
      metered.answered(failure.code().status());
      fail(e, begun && response.isCommitted(), new Exchange(request, response, callback));
    }
    return true;
  }

  private Answer answer(Request request, Audited audited) throws IOException, InterruptedException {
    Principal caller = callers.of(request);
    audited.by(caller);
    Duration later = rate == null ? null : rate.take(caller.name());
    if (later != null) {
      throw ProblemException.tooMany(
          caller.name() + " asks more than " + limits.requestsPerSecond() + " times a second",
          later);
    }
    Routes.Found found = routes.find(request.getMethod(), Request.getPathInContext(request));
    audited.found(found);
    Routes.requireRole(found.operation(), caller);
    boolean bytes = found.operation().body() == Operation.Body.BYTES;
    if (!bytes) {
      setIdle(request, limits.body());
    }
    Call call =
        Call.of(
            found.operation(),
            caller,
            found.parts(),
            query(request),
            request.getHeaders()::get,
            bytes
                ? Content.Source.asInputStream(request)
                : new TimedBody(Content.Source.asInputStream(request), limits.body()));
    setIdle(request, limits.idle());
    return routes.answer(found.operation(), call);
  }

  private static Map<String, String> query(Request request) throws ProblemException {
    Map<String, String> query = new LinkedHashMap<>();
    for (Fields.Field field : Request.extractQueryParameters(request)) {
      if (field.hasMultipleValues()) {
        throw new ProblemException(
            Failure.Code.BAD_INPUT, "'" + field.getName() + "' stands there twice");
      }
      query.put(field.getName(), String.valueOf(field.getValue()));
    }
    return query;
  }

  private void send(Answer answer, Request request, Response response)
      throws IOException, InterruptedException {
    switch (answer) {
      case Answer.Json json -> {
        byte[] body = json.body().bytes();
        response.setStatus(json.status());
        response.getHeaders().put(JSON);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
        try (OutputStream out = Content.Sink.asOutputStream(response)) {
          out.write(body);
        }
      }
      case Answer.Stream stream -> {
        response.setStatus(200);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, stream.contentType());
        if (stream.contentType().equals(EVENTS.getValue())) {
          setIdle(request, limits.stuck());
          response.getHeaders().put(NOT_KEPT);
        }
        // Closed on success alone: closing would end a broken answer as if it were whole.
        OutputStream out = Content.Sink.asOutputStream(response);
        stream.writer().write(out);
        out.close();
      }
      case Answer.Follow follow -> {
        if (!followers.tryAcquire()) {
          throw new ProblemException(
              Failure.Code.TOO_MANY_REQUESTS, limits.followers() + " follow the changes already");
        }
        try {
          follow(follow, request, response);
        } finally {
          followers.release();
        }
      }
    }
  }

  private void follow(Answer.Follow follow, Request request, Response response)
      throws IOException, InterruptedException {
    ChangeLog.Page first = ChangeStream.first(follow);
    // What ends a write to somebody who does not read; something is written more often than this.
    setIdle(request, limits.stuck());
    response.setStatus(200);
    response.getHeaders().put(EVENTS);
    response.getHeaders().put(NOT_KEPT);
    OutputStream out = Content.Sink.asOutputStream(response);
    new ChangeStream(follow.log(), limits.alive(), () -> callers.of(request)).write(first, out);
    out.close();
  }

  private static void setIdle(Request request, Duration idle) {
    request.getConnectionMetaData().getConnection().getEndPoint().setIdleTimeout(idle.toMillis());
  }

  private static void fail(Exception cause, boolean committed, Exchange exchange) {
    if (cause instanceof RuntimeException && !(cause instanceof IllegalArgumentException)) {
      LOG.error("a request failed unexpectedly", cause);
    }
    if (committed) {
      exchange.callback().failed(cause);
      return;
    }
    try {
      exchange.response().reset();
    } catch (RuntimeException e) {
      exchange.callback().failed(e);
      return;
    }
    Failure failure = ProblemException.failure(cause);
    if (failure.code() == Failure.Code.UNAUTHORIZED) {
      exchange.set("WWW-Authenticate", CHALLENGE);
    }
    if (cause instanceof ProblemException tooMany && tooMany.retryAfter() != null) {
      long seconds = tooMany.retryAfter().plusMillis(999).toSeconds();
      exchange.set("Retry-After", String.valueOf(Math.max(1, seconds)));
    }
    exchange.refuse(failure.code().status(), "application/problem+json", problem(failure).bytes());
  }

  /** What is no HTTP, or too long for it. */
  public static void malformed(Exchange exchange, int status) {
    Failure failure =
        new Failure(
            status == 431 || status == 414 ? Failure.Code.TOO_LARGE : Failure.Code.BAD_INPUT,
            "the request is malformed, or its headers are too long");
    exchange.answer(
        status, "application/problem+json", problem(failure).with("status", status).bytes());
  }

  private static JsonObject problem(Failure failure) {
    return new JsonObject()
        .with("type", "urn:regen:problem:" + failure.code().word())
        .with("title", failure.code().title())
        .with("status", failure.code().status())
        .with("detail", failure.message())
        .with("code", failure.code().word());
  }
}
