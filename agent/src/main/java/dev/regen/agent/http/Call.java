package dev.regen.agent.http;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request, as a resource sees it. Nothing in it has been checked but its lengths; the getters
 * check what they return.
 */
final class Call {
  static final int BODY_BYTES_MAX = 64 << 10;
  private static final int TEXT_MAX = 255;

  private final Map<String, String> path;
  private final Map<String, String> query;
  private final InputStream body;

  Call(Map<String, String> path, Map<String, String> query, InputStream body) {
    this.path = path;
    this.query = query;
    this.body = body;
  }

  /** The part of the path that stood at {@code {name}}. */
  String part(String name) throws RegenException {
    String value = path.get(name);
    if (value == null || value.length() > TEXT_MAX || value.chars().anyMatch(c -> c < ' ')) {
      throw new RegenException.BadInput("'" + name + "' in the path is missing or too long");
    }
    return value;
  }

  /** Whether the path has a part {@code {name}}. */
  boolean has(String name) {
    return path.containsKey(name);
  }

  QueueName queue() throws RegenException {
    return queueName(part("queue"));
  }

  static QueueName queueName(String text) throws RegenException {
    try {
      return new QueueName(text);
    } catch (IllegalArgumentException e) {
      throw new RegenException.Misuse(String.valueOf(e.getMessage()));
    }
  }

  @Nullable String query(String name) throws RegenException {
    String value = query.get(name);
    if (value != null && value.length() > TEXT_MAX) {
      throw new RegenException.BadInput("'" + name + "' is too long");
    }
    return value;
  }

  boolean flag(String name) throws RegenException {
    String value = query(name);
    return value != null && !value.equals("false") && !value.equals("0");
  }

  /** The body as a JSON object; an empty body is an empty object. */
  JsonObject json() throws IOException {
    byte[] bytes = body.readNBytes(BODY_BYTES_MAX + 1);
    if (bytes.length > BODY_BYTES_MAX) {
      throw new RegenException.BadInput("a request's body holds at most " + BODY_BYTES_MAX);
    }
    if (bytes.length == 0) {
      return new JsonObject();
    }
    try {
      return JsonObject.parse(bytes);
    } catch (IOException e) {
      throw new RegenException.BadInput("the request's body: " + e.getMessage());
    }
  }

  /** The body as it comes, to be read once. */
  InputStream stream() {
    return body;
  }
}
