package dev.regen.agent.cli;

import dev.regen.agent.host.Services;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Calls the agent's API, one connection a call. What the agent answers with an error, and that it
 * does not answer at all, is a {@link CommandFailure}.
 */
final class AgentClient {
  private static final Duration SILENCE_MAX = Duration.ofMinutes(10);
  private static final int ANSWER_BYTES_MAX = 64 << 20;
  private static final int PAGE_MAX = 1_000;
  private static final int HEADERS_MAX = 64;

  private final Path socket;

  AgentClient(Path socket) {
    this.socket = socket;
  }

  JsonObject get(String path) {
    return json("GET", path, null, null);
  }

  JsonObject send(String method, String path, @Nullable JsonObject body) {
    return json(
        method,
        path,
        body == null ? null : new ByteArrayInputStream(body.bytes()),
        "application/json");
  }

  /** Sends {@code body} as it comes, to its end. */
  JsonObject upload(String path, InputStream body) {
    return json("PUT", path, body, "application/octet-stream");
  }

  /**
   * Copies the answer to {@code out}, which holds all of it only if this returns.
   *
   * @throws IOException if {@code out} cannot be written
   */
  void download(String path, OutputStream out) throws IOException {
    try (TimedStream connection = connect()) {
      InputStream body = answered(connection, path);
      byte[] buffer = new byte[64 << 10];
      for (int count = read(body, buffer); count >= 0; count = read(body, buffer)) {
        out.write(buffer, 0, count);
      }
    }
  }

  private InputStream answered(TimedStream connection, String path) {
    try {
      Response response = exchange(connection, "GET", path, null, null);
      if (response.status() != 200) {
        throw failure(response);
      }
      return response.body();
    } catch (IOException e) {
      throw brokenOff(e);
    }
  }

  private int read(InputStream body, byte[] buffer) {
    try {
      return body.read(buffer);
    } catch (IOException e) {
      throw brokenOff(e);
    }
  }

  /** Takes an answer of a JSON object a line, as it comes. */
  @FunctionalInterface
  interface Lines {
    void accept(JsonObject line) throws IOException;
  }

  /** All rows of a list, page after page. */
  List<JsonObject> all(String path, String name) throws IOException {
    List<JsonObject> rows = new ArrayList<>();
    pages(
        path,
        page -> {
          rows.addAll(page.objects(name));
          return true;
        });
    return rows;
  }

  /** The newest rows of a list that begins with those, oldest first. */
  List<JsonObject> newest(String path, String name, int limit) throws IOException {
    List<JsonObject> rows = new ArrayList<>();
    pages(
        path + (path.contains("?") ? "&" : "?") + "limit=" + Math.min(limit, PAGE_MAX),
        page -> {
          rows.addAll(0, page.objects(name));
          return rows.size() < limit;
        });
    return rows.subList(Math.max(0, rows.size() - limit), rows.size());
  }

  /** Takes a page; whether it wants another. */
  @FunctionalInterface
  interface PageTaker {
    boolean take(JsonObject page) throws IOException;
  }

  /** Asks for page after page, until there is none or none is wanted. */
  void pages(String path, PageTaker taker) throws IOException {
    String join = path.contains("?") ? "&" : "?";
    JsonObject page = get(path);
    while (taker.take(page)) {
      String next = page.stringOrNull("next");
      if (next == null) {
        return;
      }
      page = get(path + join + "cursor=" + next);
    }
  }

  /** Reads an answer line by line; it was whole only if this returns. */
  void lines(String path, Lines each) {
    try (TimedStream connection = connect()) {
      Response response = exchange(connection, "GET", path, null, null);
      if (response.status() != 200) {
        throw failure(response);
      }
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        each.accept(JsonObject.parse(line));
      }
    } catch (IOException e) {
      throw brokenOff(e);
    }
  }

  /** What a person does then depends on whether the agent still lives. */
  private CommandFailure brokenOff(IOException cause) {
    try (TimedStream _ = new TimedStream(socket, SILENCE_MAX)) {
      return new CommandFailure(
          Failure.Code.FAILED,
          (cause instanceof EOFException
                  ? "the agent broke off its answer"
                  : "the agent's answer broke off: " + Why.of(cause))
              + "; "
              + Services.log()
              + " says why");
    } catch (IOException e) {
      return ended();
    }
  }

  /** The agent has ended, or another one runs by now, and with it what it was asked to do. */
  static CommandFailure ended() {
    return new CommandFailure(
        Failure.Code.AGENT_UNREACHABLE,
        "the agent ended before it had answered ("
            + Services.log()
            + " says why); start it with 'regen agent' if it does not run again, then run the same"
            + " command again; a push or a pull goes on where it was");
  }

  /** Text as one part of a path; none is empty. */
  static String part(String text) {
    if (text.isEmpty()) {
      throw new CommandFailure(Failure.Code.USAGE, "a name is empty");
    }
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /**
   * Where the API has a container; its name or id is looked at first, as the path holds no slash.
   */
  static String container(String name) {
    if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9_.-]*")) {
      throw new CommandFailure(
          Failure.Code.USAGE,
          "'" + name.replaceAll("\\p{Cntrl}", "?") + "' is no name of a container");
    }
    return "/v1/containers/" + part(name);
  }

  private record Response(int status, InputStream body) {}

  private JsonObject json(
      String method, String path, @Nullable InputStream body, @Nullable String type) {
    try (TimedStream connection = connect()) {
      Response response = exchange(connection, method, path, body, type);
      if (response.status() >= 400) {
        throw failure(response);
      }
      return JsonObject.parse(bytes(response.body()));
    } catch (IOException e) {
      throw brokenOff(e);
    }
  }

  private TimedStream connect() {
    try {
      return new TimedStream(socket, SILENCE_MAX);
    } catch (IOException e) {
      throw new CommandFailure(
          Failure.Code.AGENT_UNREACHABLE,
          "no agent answers on "
              + socket
              + " ("
              + Why.of(e)
              + "); start it with 'regen agent', or run this as root");
    }
  }

  private static Response exchange(
      TimedStream connection,
      String method,
      String path,
      @Nullable InputStream body,
      @Nullable String type)
      throws IOException {
    OutputStream out = connection.output();
    StringBuilder head = new StringBuilder();
    head.append(method).append(' ').append(path).append(" HTTP/1.1\r\nHost: regen\r\n");
    if (body != null) {
      head.append("Content-Type: ").append(type).append("\r\nTransfer-Encoding: chunked\r\n");
    }
    out.write(head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
    IOException sending = body == null ? null : sendAll(body, out);
    try {
      return answer(connection.input());
    } catch (IOException e) {
      throw sending == null ? e : sending;
    }
  }

  /** The agent may refuse before it has read everything: its answer then says more than this. */
  private static @Nullable IOException sendAll(InputStream body, OutputStream out) {
    try {
      HttpBody.sendChunked(body, out);
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  private static Response answer(InputStream in) throws IOException {
    String[] status = HttpBody.line(in).split(" ", 3);
    if (status.length < 2 || !status[0].startsWith("HTTP/1.") || !status[1].matches("[0-9]{3}")) {
      throw new IOException("what listens there does not speak HTTP");
    }
    boolean chunked = false;
    long lengthBytes = -1;
    int headers = 0;
    for (String line = HttpBody.line(in); !line.isEmpty(); line = HttpBody.line(in)) {
      if (++headers > HEADERS_MAX) {
        throw new IOException("the agent's answer has too many headers");
      }
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.startsWith("transfer-encoding:") && lower.contains("chunked")) {
        chunked = true;
      } else if (lower.matches("content-length: *[0-9]{1,18}")) {
        lengthBytes = Long.parseLong(lower.substring(lower.indexOf(':') + 1).strip());
      }
    }
    if (!chunked && lengthBytes < 0) {
      throw new IOException("the agent's answer does not say where it ends");
    }
    return new Response(
        Integer.parseInt(status[1]),
        chunked ? HttpBody.chunked(in) : HttpBody.ofLength(in, lengthBytes));
  }

  private static CommandFailure failure(Response response) throws IOException {
    byte[] body = bytes(response.body());
    try {
      JsonObject json = JsonObject.parse(body);
      return new CommandFailure(Failure.Code.of(json.stringOrNull("code")), json.string("detail"));
    } catch (IOException e) {
      return new CommandFailure(Failure.Code.FAILED, "the agent answered " + response.status());
    }
  }

  private static byte[] bytes(InputStream body) throws IOException {
    byte[] bytes = body.readNBytes(ANSWER_BYTES_MAX + 1);
    if (bytes.length > ANSWER_BYTES_MAX) {
      throw new IOException("it is longer than " + ANSWER_BYTES_MAX + " bytes");
    }
    return bytes;
  }
}
