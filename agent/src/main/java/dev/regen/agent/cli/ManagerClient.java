package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Calls a manager, and logs in there as {@code docker} does: when it is told to, where it is told
 * to. What the manager answers with an error is a {@link CommandFailure}.
 */
final class ManagerClient implements AutoCloseable {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

  /** Until an answer begins; a manager may have a large manifest to read before. */
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);

  private static final int ANSWER_BYTES_MAX = 64 << 10;

  private final String host;
  private final URI base;
  private final @Nullable RegistryCredentials credentials;
  private final HttpClient client;

  /**
   * @param credentials null for nobody's
   * @param tls null for plain HTTP
   */
  ManagerClient(String host, @Nullable RegistryCredentials credentials, @Nullable SSLContext tls) {
    this.host = host;
    this.base = URI.create((tls == null ? "http://" : "https://") + host);
    this.credentials = credentials;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_LIMIT);
    if (tls != null) {
      builder.sslContext(tls);
    }
    client = builder.build();
  }

  /** Sends a body; the answer's body is the caller's to read and close. */
  InputStream post(String path, JsonObject body) throws IOException, InterruptedException {
    HttpResponse<InputStream> answer = send(path, body, null);
    if (answer.statusCode() == 401) {
      String header = answer.headers().firstValue("WWW-Authenticate").orElse("");
      drop(answer);
      answer = send(path, body, authorization(header));
    }
    if (answer.statusCode() != 200) {
      throw failure(answer);
    }
    return answer.body();
  }

  /** The failure that an error of the manager's is. */
  static CommandFailure failure(int status, JsonObject errors) throws IOException {
    List<JsonObject> all = errors.objects("errors");
    String message =
        all.isEmpty() ? "the manager answered " + status : all.getFirst().string("message");
    Failure.Code code =
        switch (status) {
          case 404 -> Failure.Code.NOT_FOUND;
          case 403, 409 -> Failure.Code.REFUSED;
          case 400 -> Failure.Code.USAGE;
          default -> Failure.Code.FAILED;
        };
    return new CommandFailure(code, message.replaceAll("\\p{Cntrl}", " "));
  }

  @Override
  public void close() {
    client.shutdownNow();
  }

  private HttpResponse<InputStream> send(
      String path, JsonObject body, @Nullable String authorization) throws InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(base.resolve(path))
            .timeout(ANSWER_LIMIT)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(body.bytes()));
    return send(request, authorization);
  }

  private HttpResponse<InputStream> send(
      HttpRequest.Builder request, @Nullable String authorization) throws InterruptedException {
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    URI uri = request.build().uri();
    try {
      return client.send(request.build(), BodyHandlers.ofInputStream());
    } catch (IOException e) {
      throw new CommandFailure(
          Failure.Code.FAILED,
          uri.getScheme()
              + "://"
              + uri.getAuthority()
              + " does not answer: "
              + Why.of(e)
              + hint(uri));
    }
  }

  private static String hint(URI uri) {
    return "https".equals(uri.getScheme())
        ? " ('--plain-http' where it serves no TLS, '--ca-file FILE' for a certificate of your own)"
        : "";
  }

  private @Nullable String authorization(String header) throws IOException, InterruptedException {
    Optional<BearerChallenge> challenge = BearerChallenge.parse(header);
    RegistryCredentials known = credentials;
    if (challenge.isEmpty()) {
      return known == null ? null : known.basic();
    }
    URI question = challenge.get().question(known == null ? null : known.user());
    if (!"http".equals(base.getScheme()) && !"https".equals(question.getScheme())) {
      throw new CommandFailure(
          Failure.Code.FAILED,
          "the manager wants the password to be sent in the clear: " + question);
    }
    HttpResponse<InputStream> answer =
        send(
            HttpRequest.newBuilder(question).timeout(ANSWER_LIMIT).GET(),
            known == null ? null : known.basic());
    if (answer.statusCode() != 200) {
      throw failure(answer);
    }
    JsonObject json = JsonObject.parse(bytes(answer));
    String token = json.has("token") ? json.string("token") : json.string("access_token");
    return "Bearer " + token;
  }

  private CommandFailure failure(HttpResponse<InputStream> answer)
      throws IOException, InterruptedException {
    int status = answer.statusCode();
    JsonObject errors = new JsonObject();
    try {
      errors = JsonObject.parse(bytes(answer));
    } catch (IOException e) {
      // Somebody else's words.
    }
    if (status == 401) {
      return new CommandFailure(
          Failure.Code.FAILED,
          host
              + (credentials == null
                  ? " wants to know who you are: 'docker login " + host + "', or --user NAME"
                  : " does not take name and password, or they do not suffice: "
                      + failure(status, errors).getMessage()));
    }
    boolean said = !errors.objects("errors").isEmpty();
    boolean unknownPath = status == 405 || (status == 404 && !(said && isOurs(errors)));
    return said && !unknownPath
        ? failure(status, errors)
        : new CommandFailure(
            Failure.Code.FAILED,
            host + " is no 'regen manager', or one of an earlier version: it answered " + status);
  }

  /** Of a registry that does not know the path it would be another code. */
  private static boolean isOurs(JsonObject errors) throws IOException {
    return "UNKNOWN".equals(errors.objects("errors").getFirst().stringOrNull("code"));
  }

  private static byte[] bytes(HttpResponse<InputStream> answer) throws IOException {
    try (InputStream body = answer.body()) {
      return body.readNBytes(ANSWER_BYTES_MAX);
    }
  }

  private static void drop(HttpResponse<InputStream> answer) throws IOException {
    answer.body().close();
  }
}
