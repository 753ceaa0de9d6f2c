package dev.regen.agent.fleet;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Asks a manager, as whoever has a token. */
public record FleetClient(HttpClient http, URI manager, @Nullable String token)
    implements AutoCloseable {
  public FleetClient(URI manager, @Nullable String token) {
    this(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(), manager, token);
  }

  /** An answer; a body that is none is empty. */
  public record Answer(int status, JsonObject json) {}

  public Answer get(String path) throws IOException, InterruptedException {
    return send("GET", path, null);
  }

  public Answer post(String path, JsonObject body) throws IOException, InterruptedException {
    return send("POST", path, body.toString());
  }

  public Answer send(String method, String path, @Nullable String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(manager.resolve(path))
            .timeout(Duration.ofSeconds(40))
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
    FleetDocument.check(method, path, response.statusCode(), response.body());
    return new Answer(response.statusCode(), json(response.body()));
  }

  /** No connection is left, for which a server that is closed would wait. */
  @Override
  public void close() {
    http.shutdownNow();
  }

  /** The same as somebody else; closed with this one. */
  public FleetClient as(@Nullable String other) {
    return new FleetClient(http, manager, other);
  }

  private static JsonObject json(String body) {
    try {
      return JsonObject.parse(body);
    } catch (IOException e) {
      return new JsonObject();
    }
  }
}
