package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request, as a resource sees it. Nothing in it has been checked but its lengths; the getters
 * check what they return.
 */
public final class Call {
  /** Of a body that is JSON. */
  static final int BODY_BYTES_MAX = 64 << 10;

  private static final String IDEMPOTENCY_KEY = "Idempotency-Key";

  /** A value takes more memory than its text. */
  private static final int BYTES_PER_VALUE = 16;

  private static final int TEXT_MAX = 255;

  private final Principal caller;
  private final Map<String, String> path;
  private final Map<String, String> query;
  private final Headers headers;
  private final JsonObject json;
  private final InputStream stream;

  /** The request's headers; null for one that is not there. */
  @FunctionalInterface
  interface Headers {
    @Nullable String get(String name);
  }

  private Call(
      Principal caller,
      Map<String, String> path,
      Map<String, String> query,
      Headers headers,
      JsonObject json,
      InputStream stream) {
    this.caller = caller;
    this.path = path;
    this.query = query;
    this.headers = headers;
    this.json = json;
    this.stream = stream;
  }

  /**
   * One that no HTTP request asks for.
   *
   * @param parameters those of the path, and those of {@link Operation#query}
   */
  static Call of(
      Operation operation, Principal caller, Map<String, String> parameters, JsonObject body) {
    Map<String, String> path = new LinkedHashMap<>(parameters);
    Map<String, String> query = new LinkedHashMap<>(parameters);
    path.keySet().removeAll(operation.query());
    query.keySet().retainAll(operation.query());
    return new Call(caller, path, query, _ -> null, body, InputStream.nullInputStream());
  }

  /**
   * One of an HTTP request, whose parameters and JSON are those that {@code operation} has.
   *
   * @throws ProblemException BAD_INPUT, TOO_LARGE or FORBIDDEN if not
   */
  static Call of(
      Operation operation,
      Principal caller,
      Map<String, String> path,
      Map<String, String> query,
      Headers headers,
      InputStream body)
      throws IOException {
    operation.checkQuery(query);
    if (operation.body() == Operation.Body.BYTES) {
      return new Call(caller, path, query, headers, new JsonObject(), body);
    }
    JsonObject json = parsed(body, operation.bodyBytesMax());
    operation.checkBody(json, caller);
    return new Call(caller, path, query, headers, json, InputStream.nullInputStream());
  }

  private static JsonObject parsed(InputStream body, int bytesMax) throws IOException {
    byte[] bytes = body.readNBytes(bytesMax + 1);
    if (bytes.length > bytesMax) {
      throw new ProblemException(
          Failure.Code.TOO_LARGE, "the request's body holds at most " + bytesMax + " bytes");
    }
    if (bytes.length == 0) {
      return new JsonObject();
    }
    try {
      return JsonObject.parse(bytes, bytesMax / BYTES_PER_VALUE);
    } catch (IOException e) {
      throw new RegenException.BadInput("the request's body: " + e.getMessage());
    }
  }

  /** Who asks. */
  public Principal caller() {
    return caller;
  }

  /** A header, null if it is not there. */
  public @Nullable String header(String name) throws RegenException {
    String value = headers.get(name);
    if (value != null && value.length() > TEXT_MAX) {
      throw new RegenException.BadInput("the header " + name + " is too long");
    }
    return value;
  }

  /**
   * What the caller calls this request, to be known again by; null for nothing.
   *
   * @throws RegenException.BadInput if it is too long, or not printable
   */
  @Nullable String idempotencyKey() throws RegenException {
    String key = header(IDEMPOTENCY_KEY);
    if (key != null && (key.isEmpty() || !key.chars().allMatch(c -> c >= ' ' && c <= '~'))) {
      throw new RegenException.BadInput(
          "the header " + IDEMPOTENCY_KEY + " is 1 to " + TEXT_MAX + " printable characters");
    }
    return key;
  }

  /** Those of the path and those of the query. */
  Map<String, String> parameters() {
    Map<String, String> all = new LinkedHashMap<>(query);
    all.putAll(path);
    return all;
  }

  /** The part of the path that stood at {@code {name}}. */
  public String part(String name) throws RegenException {
    String value = path.get(name);
    if (value == null || value.length() > TEXT_MAX || value.chars().anyMatch(c -> c < ' ')) {
      throw new RegenException.BadInput("'" + name + "' in the path is missing or too long");
    }
    return value;
  }

  /** Whether the path has a part {@code {name}}. */
  public boolean has(String name) {
    return path.containsKey(name);
  }

  public QueueName queue() throws RegenException {
    return queueName(part("queue"));
  }

  public static QueueName queueName(String text) throws RegenException {
    try {
      return new QueueName(text);
    } catch (IllegalArgumentException e) {
      throw new RegenException.Misuse(String.valueOf(e.getMessage()));
    }
  }

  public @Nullable String query(String name) throws RegenException {
    String value = query.get(name);
    if (value != null && value.length() > TEXT_MAX) {
      throw new RegenException.BadInput("'" + name + "' is too long");
    }
    return value;
  }

  public boolean flag(String name) throws RegenException {
    String value = query(name);
    return value != null && !value.equals("false") && !value.equals("0");
  }

  /** The body, whose members are those that the document has. */
  public JsonObject json() {
    return json;
  }

  /** A body of bytes as it comes, to be read once. */
  public InputStream stream() {
    return stream;
  }
}
