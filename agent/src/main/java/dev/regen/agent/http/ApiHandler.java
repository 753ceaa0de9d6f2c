package dev.regen.agent.http;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
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

/** From HTTP to the resources and back; failures become {@code {code, message}} here. */
final class ApiHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/json");

  private final Routes routes;

  ApiHandler(Routes routes) {
    this.routes = routes;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    boolean begun = false;
    try {
      Answer answer = answer(request);
      begun = answer instanceof Answer.Stream;
      send(answer, response);
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
    String path = Request.getPathInContext(request);
    Routes.Found found = routes.find(request.getMethod(), path);
    if (found == null) {
      Failure none =
          new Failure(Failure.Code.NOT_FOUND, "nothing answers " + request.getMethod() + " here");
      return failed(none);
    }
    Map<String, String> query = new LinkedHashMap<>();
    for (Fields.Field field : Request.extractQueryParameters(request)) {
      query.put(field.getName(), String.valueOf(field.getValue()));
    }
    Call call = new Call(found.parts(), query, Content.Source.asInputStream(request));
    return found.action().answer(call);
  }

  private static void send(Answer answer, Response response) throws IOException {
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
        // Closed on success alone: closing would end a broken answer as if it were whole.
        OutputStream out = Content.Sink.asOutputStream(response);
        stream.writer().write(out);
        out.close();
      }
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
      Failure failure = cause instanceof FailedJob job ? job.failure() : Failure.of(cause);
      send(failed(failure), response);
      callback.succeeded();
    } catch (IOException | RuntimeException e) {
      callback.failed(e);
    }
  }

  private static Answer failed(Failure failure) {
    return new Answer.Json(
        failure.code().status(),
        new JsonObject().with("code", failure.code().word()).with("message", failure.message()));
  }
}
