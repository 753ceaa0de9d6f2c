package dev.regen.runtime.docker;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened to a container.
 *
 * @param container its id
 * @param exitCode with {@link Kind#DIE} only
 * @param signal with {@link Kind#KILL} only, 0 otherwise
 * @param attributes the container's labels, its name and image, and what else the engine tells
 */
public record EngineEvent(
    Kind kind,
    String container,
    Instant time,
    @Nullable Integer exitCode,
    int signal,
    JsonObject attributes) {

  /** What happened. */
  public enum Kind {
    START,
    KILL,
    OOM,
    DIE,
    DESTROY
  }

  /** Reads one line of the engine's stream; empty for an event that is none of these. */
  static Optional<EngineEvent> of(JsonObject json) throws IOException {
    Kind kind =
        switch (json.string("Action")) {
          case "start" -> Kind.START;
          case "kill" -> Kind.KILL;
          case "oom" -> Kind.OOM;
          case "die" -> Kind.DIE;
          case "destroy" -> Kind.DESTROY;
          default -> null;
        };
    if (kind == null) {
      return Optional.empty();
    }
    JsonObject actor = json.object("Actor");
    JsonObject told = actor.objectOrNull("Attributes");
    JsonObject attributes = told == null ? new JsonObject() : told;
    long nanos = json.number("timeNano");
    return Optional.of(
        new EngineEvent(
            kind,
            actor.string("ID"),
            Instant.ofEpochSecond(0, nanos),
            number(attributes.stringOrNull("exitCode")),
            signal(attributes.stringOrNull("signal")),
            attributes));
  }

  private static @Nullable Integer number(@Nullable String text) {
    return text == null || !text.matches("[0-9]{1,9}") ? null : Integer.valueOf(text);
  }

  private static int signal(@Nullable String text) {
    Integer number = number(text);
    return number == null ? 0 : number;
  }
}
