package dev.regen.agent.node;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Calls a manager in the name of a node, with the token and the certificates of this moment. */
final class Uplink implements AutoCloseable {
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);
  private static final int ANSWER_BYTES_MAX = 1 << 20;

  private final ManagerUrl manager;
  private final String path;
  private final @Nullable String token;
  private final HttpClient client;

  Uplink(ManagerUrl manager, String node) throws IOException {
    this.manager = manager;
    this.path = "/v1/nodes/" + node;
    this.token = manager.token();
    this.client = manager.client();
  }

  /**
   * Opens the stream of messages.
   *
   * @param last the newest that is recorded here
   * @throws ManagerFailure if the manager does not want to
   */
  MessageStream messages(long last) throws IOException, InterruptedException {
    HttpResponse<InputStream> answer =
        send(
            request("/messages")
                .header("Last-Event-ID", String.valueOf(last))
                .header("Accept", "text/event-stream")
                .GET());
    return new MessageStream(answer.body());
  }

  /**
   * Tells the manager something; it has it for good when this returns.
   *
   * @return the jobs among them that are not to be begun, or to end
   * @throws ManagerFailure if the manager does not want to
   */
  Told report(List<JsonObject> reports) throws IOException, InterruptedException {
    HttpRequest.Builder request =
        request("/reports")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(new JsonObject().with("reports", reports).bytes()));
    JsonObject answer = JsonObject.parse(bytes(send(request)));
    return new Told(Set.copyOf(answer.strings("withdrawn")), answer.objects("refused"));
  }

  /**
   * What a manager says to reports.
   *
   * @param refused those that it did not understand, with {@code index} and {@code message}
   */
  record Told(Set<String> withdrawn, List<JsonObject> refused) {}

  @Override
  public void close() {
    client.shutdownNow();
  }

  private HttpRequest.Builder request(String what) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(manager.address().resolve(path + what)).timeout(ANSWER_LIMIT);
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    return request;
  }

  private HttpResponse<InputStream> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    HttpResponse<InputStream> answer = client.send(request.build(), BodyHandlers.ofInputStream());
    if (answer.statusCode() != 200) {
      throw ManagerFailure.of(answer.statusCode(), bytes(answer));
    }
    return answer;
  }

  private static byte[] bytes(HttpResponse<InputStream> answer) throws IOException {
    try (InputStream body = answer.body()) {
      return body.readNBytes(ANSWER_BYTES_MAX);
    }
  }
}
