package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who asked for what: the jobs that are begun on a thread belong to what was asked for there.
 *
 * @param by the caller's name
 * @param key the caller's name for this request, by which it is known again; null for none
 * @param request all that is needed to do the same once more; null if that cannot be, as its body
 *     was a stream
 * @param untilAcknowledged whether the job is kept until {@link Jobs#acknowledge}
 */
public record Asked(
    String by, @Nullable String key, @Nullable JsonObject request, boolean untilAcknowledged) {
  /** What nobody asked for. */
  static final Asked BY_ITSELF = new Asked("regen", null, null, false);

  private static final ThreadLocal<Asked> CURRENT = new ThreadLocal<>();

  /** Something that a request asks for. */
  @FunctionalInterface
  public interface Action<T> {
    T run() throws IOException, InterruptedException;
  }

  /** Runs {@code action}; the jobs that it begins are asked for by this. */
  <T> T during(Action<T> action) throws IOException, InterruptedException {
    Asked before = CURRENT.get();
    CURRENT.set(this);
    try {
      return action.run();
    } finally {
      if (before == null) {
        CURRENT.remove();
      } else {
        CURRENT.set(before);
      }
    }
  }

  /** Whether the request's body has this field. */
  boolean says(String field) {
    return request != null
        && request.members().get("body") instanceof JsonObject body
        && body.has(field);
  }

  /** What this thread does is asked for by this. */
  public static Asked current() {
    Asked asked = CURRENT.get();
    return asked == null ? BY_ITSELF : asked;
  }

  /** Of the request; the same whatever the order of its members. */
  @Nullable String digest() {
    if (request == null) {
      return null;
    }
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(sorted(request).toString().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static JsonObject sorted(JsonObject object) {
    Map<String, @Nullable Object> members = new TreeMap<>(object.members());
    JsonObject sorted = new JsonObject();
    members.forEach((name, value) -> sorted.with(name, sortedValue(value)));
    return sorted;
  }

  private static @Nullable Object sortedValue(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case JsonObject object -> sorted(object);
      case List<?> list -> list.stream().map(Asked::sortedValue).toList();
      default -> value;
    };
  }
}
