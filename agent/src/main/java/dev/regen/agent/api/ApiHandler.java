package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From HTTP to the operations and back; failures become problem details here (RFC 9457), with the
 * member {@code code}.
 */
public final class ApiHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/json");

  private static final HttpField PROBLEM =
      new HttpField(HttpHeader.CONTENT_TYPE, "application/problem+json");

  private static final HttpField EVENTS =
      new HttpField(HttpHeader.CONTENT_TYPE, "text/event-stream");

  private static final HttpField NOT_KEPT = new HttpField(HttpHeader.CACHE_CONTROL, "no-store");

  private final Routes routes;
  private final Callers callers;
  private final ApiLimits limits;
  private final Semaphore followers;

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
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    boolean begun = false;
    try {
      Answer answer = answer(request);
      begun = !(answer instanceof Answer.Json);
      send(answer, request, response);
      callback.succeeded();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      callback.failed(e);
    } catch (IOException | RuntimeException e) {
      fail(e, begun && response.isCommitted(), response, callback);
    }
    return true;
  }

  private Answer answer(Request request) throws IOException, InterruptedException {
    Principal caller = callers.of(request);
    Routes.Found found = routes.find(request.getMethod(), Request.getPathInContext(request));
    Routes.requireRole(found.operation(), caller);
    Map<String, String> query = new LinkedHashMap<>();
    for (Fields.Field field : Request.extractQueryParameters(request)) {
      query.put(field.getName(), String.valueOf(field.getValue()));
    }
    Call call =
        Call.of(
            found.operation(),
            caller,
            found.parts(),
            query,
            request.getHeaders()::get,
            Content.Source.asInputStream(request));
    return routes.answer(found.operation(), call);
  }

  private void send(Answer answer, Request request, Response response)
      throws IOException, InterruptedException {
    switch (answer) {
      case Answer.Json json -> send(json.status(), JSON, json.body(), response);
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
    new ChangeStream(follow.log(), limits.alive()).write(first, out);
    out.close();
  }

  private static void setIdle(Request request, Duration idle) {
    request.getConnectionMetaData().getConnection().getEndPoint().setIdleTimeout(idle.toMillis());
  }

  private static void send(int status, HttpField type, JsonObject json, Response response)
      throws IOException {
    byte[] body = json.bytes();
    response.setStatus(status);
    response.getHeaders().put(type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    try (OutputStream out = Content.Sink.asOutputStream(response)) {
      out.write(body);
    }
  }

  private static void fail(
      Exception cause, boolean committed, Response response, Callback callback) {
    if (cause instanceof RuntimeException && !(cause instanceof IllegalArgumentException)) {
      LOG.error("a request failed unexpectedly", cause);
    }
    if (committed) {
      callback.failed(cause);
      return;
    }
    try {
      response.reset();
      Failure failure =
          cause instanceof ProblemException problem ? problem.failure() : Failure.of(cause);
      send(failure.code().status(), PROBLEM, problem(failure), response);
      callback.succeeded();
    } catch (IOException | RuntimeException e) {
      callback.failed(e);
    }
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
