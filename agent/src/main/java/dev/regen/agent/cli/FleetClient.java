package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.agent.node.ManagerUrl;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Asks a manager about its fleet. What it answers with an error is a {@link CommandFailure}. */
final class FleetClient implements AutoCloseable {
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
  private static final int ANSWER_BYTES_MAX = 64 << 20;
  private static final int PAGE = 1_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long AGAIN_MILLIS = 1_000;

  private final ManagerUrl manager;
  private final @Nullable String token;
  private final HttpClient http;

  FleetClient(ManagerUrl manager, @Nullable String token) throws IOException {
    this.manager = manager;
    this.token = token;
    this.http = manager.client();
  }

  JsonObject get(String path) throws IOException, InterruptedException {
    return send("GET", path, null);
  }

  /** What to say to a person who waits. */
  @FunctionalInterface
  interface Tell {
    void that(String words);
  }

  /** As {@link #get}, of what goes on whether the manager answers or not: waits for it a while. */
  JsonObject patiently(String path, Tell tell) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean told = false;
    while (true) {
      try (InputStream in = answer("GET", path, null, null)) {
        return JsonObject.parse(in.readNBytes(ANSWER_BYTES_MAX), Long.MAX_VALUE);
      } catch (IOException e) {
        if (System.nanoTime() > deadline) {
          throw new CommandFailure(
              Failure.Code.FAILED,
              silent(e) + "; what was asked for may go on, 'regen fleet jobs' and 'moves' tell");
        }
        if (!told) {
          tell.that(silent(e) + "; what was asked for goes on, and this waits for the manager");
          told = true;
        }
        Thread.sleep(AGAIN_MILLIS);
      }
    }
  }

  JsonObject send(String method, String path, @Nullable JsonObject body)
      throws IOException, InterruptedException {
    try (InputStream in = open(method, path, body, null)) {
      byte[] bytes = in.readNBytes(ANSWER_BYTES_MAX);
      return bytes.length == 0 ? new JsonObject() : JsonObject.parse(bytes, Long.MAX_VALUE);
    }
  }

  /** The rows of a list that is in pages, at most so many. */
  List<JsonObject> list(String path, String name, int most)
      throws IOException, InterruptedException {
    String from = path + (path.contains("?") ? "&" : "?") + "limit=" + Math.min(most, PAGE);
    List<JsonObject> rows = new ArrayList<>();
    JsonObject page = get(from);
    while (true) {
      rows.addAll(page.objects(name));
      String next = page.stringOrNull("next");
      if (next == null || rows.size() >= most) {
        return rows.subList(0, Math.min(most, rows.size()));
      }
      page = get(from + "&cursor=" + AgentClient.part(next));
    }
  }

  /** Takes what happens; whether it wants more. */
  @FunctionalInterface
  interface Each {
    boolean take(String kind, JsonObject data) throws IOException;
  }

  /**
   * Follows what changes, until the connection ends.
   *
   * @param after a place, null for what happens from now on
   * @return the place of the last change
   */
  @Nullable String follow(@Nullable String after, Each each)
      throws IOException, InterruptedException {
    String place = after;
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                open("GET", "/v1/changes", null, after), StandardCharsets.UTF_8))) {
      String kind = "";
      String id = null;
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("event: ")) {
          kind = line.substring(7);
        } else if (line.startsWith("data: ")) {
          place = id;
          if (!each.take(kind, JsonObject.parse(line.substring(6)))) {
            return null;
          }
        }
      }
    }
    return place;
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  private InputStream open(
      String method, String path, @Nullable JsonObject body, @Nullable String after)
      throws IOException, InterruptedException {
    try {
      return answer(method, path, body, after);
    } catch (IOException e) {
      throw new CommandFailure(Failure.Code.FAILED, silent(e));
    }
  }

  private String silent(IOException why) {
    return "the manager " + manager + " does not answer: " + Why.of(why);
  }

  /** Fails with an {@link IOException} if there is none. */
  private InputStream answer(
      String method, String path, @Nullable JsonObject body, @Nullable String after)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(manager.address().resolve(path))
            .timeout(ANSWER_LIMIT)
            .method(
                method,
                body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body.bytes()));
    if (body != null) {
      request.header("Content-Type", "application/json");
    }
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    if (after != null) {
      request.header("Last-Event-ID", after);
    }
    HttpResponse<InputStream> answer = http.send(request.build(), BodyHandlers.ofInputStream());
    if (answer.statusCode() >= 300) {
      throw failure(answer);
    }
    return answer.body();
  }

  private CommandFailure failure(HttpResponse<InputStream> answer) throws IOException {
    int status = answer.statusCode();
    JsonObject problem;
    try (InputStream body = answer.body()) {
      problem = JsonObject.parse(body.readNBytes(ANSWER_BYTES_MAX));
    } catch (IOException e) {
      problem = new JsonObject();
    }
    String detail = problem.stringOrNull("detail");
    if (detail == null) {
      return new CommandFailure(
          Failure.Code.FAILED,
          manager + " is no manager of a fleet ('regen manager --fleet'): it answered " + status);
    }
    String hint =
        status == 401
            ? "; give your token with --token-file FILE or REGEN_TOKEN; 'regen manager token' makes"
                + " the first"
            : "";
    Failure.Code code = Failure.Code.of(problem.stringOrNull("code"));
    // All that these commands send is what somebody has typed.
    return new CommandFailure(
        code == Failure.Code.BAD_INPUT ? Failure.Code.USAGE : code, detail + hint);
  }
}
