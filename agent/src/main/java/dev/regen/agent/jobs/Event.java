package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One thing that happened, for {@code regen events}.
 *
 * @param id its number; 0 if it has none
 * @param kind what
 * @param queue the queue it concerns, null for none
 * @param message one line that says it to a person
 */
public record Event(long id, Instant time, String kind, @Nullable String queue, String message) {
  private static final int MESSAGE_MAX = 1000;

  /** The kinds of event that the agent itself tells. */
  public enum Kind {
    CAPTURED,
    UNCHANGED,
    INCONSISTENT,
    RESTORED,
    FAILED,
    ADOPTED,
    IMPORTED,
    NOT_CARED_FOR,
    UNPAUSED,
    STARTED_AGAIN,
    UNKNOWN_LABEL,
    REPAIRED,
    ENCRYPTED,
    DECRYPTED,
    KEY_MADE,
    KEY_ADDED,
    PUSHED,
    PULLED,
    MOVED,
    STORE_CHANGED,
    DEGRADED;

    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public Event {
    message = message.replaceAll("\\p{Cntrl}", " ");
    message = message.length() > MESSAGE_MAX ? message.substring(0, MESSAGE_MAX) : message;
  }

  Event numbered(long number) {
    return new Event(number, time, kind, queue, message);
  }

  public JsonObject json() {
    JsonObject json = new JsonObject().with("id", id);
    line().members().forEach(json::with);
    return json;
  }

  /** Without its number. */
  JsonObject line() {
    return new JsonObject()
        .with("time", time)
        .with("kind", kind)
        .with("queue", queue)
        .with("message", message);
  }

  static Event of(JsonObject json) throws IOException {
    return new Event(
        json.numberOr("id", 0),
        json.instant("time"),
        json.string("kind"),
        json.stringOrNull("queue"),
        json.string("message"));
  }
}
