package dev.regen.snapshot.store;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.End;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How a run ended, as JSON and back. */
public final class EndCodec {
  private EndCodec() {}

  public static JsonObject encode(End end) {
    Duration ran = end.ran();
    return new JsonObject()
        .with("reason", end.reason())
        .with("exitCode", end.exitCode())
        .with("good", end.good())
        .with("ranMillis", ran == null ? null : ran.toMillis())
        .with("inconsistent", end.inconsistent() ? true : null);
  }

  /**
   * Reads what {@link #encode} wrote; how long it ran is known to the millisecond.
   *
   * @throws IOException if a member is missing or wrong
   */
  public static End decode(JsonObject json) throws IOException {
    try {
      return new End(
          End.Reason.valueOf(json.string("reason")),
          exitCode(json),
          End.Good.valueOf(json.string("good")),
          json.has("ranMillis") ? Duration.ofMillis(json.number("ranMillis")) : null,
          json.has("inconsistent") && json.flag("inconsistent"));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("no end of a run: " + e.getMessage(), e);
    }
  }

  private static @Nullable Integer exitCode(JsonObject json) throws IOException {
    return json.has("exitCode") ? (Integer) Math.toIntExact(json.number("exitCode")) : null;
  }
}
