package dev.regen.runtime.oci;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the host saw of a run by its end; the engine's exit code comes later.
 *
 * @param startedAt when the run began, null if not known
 * @param endedAt when the run ended
 * @param signal the first signal the engine sent, 0 if none: {@code docker stop} sends TERM before
 *     KILL
 * @param oom the kernel killed a process of the container for want of memory
 * @param shimDied the container was torn down by {@code delete --force} while it still ran
 * @param startedWithout why the run began without the state that its queue had kept, null if it did
 *     not
 */
public record SeenRun(
    @Nullable Instant startedAt,
    Instant endedAt,
    int signal,
    boolean oom,
    boolean shimDied,
    @Nullable String startedWithout) {

  /**
   * A run of which only the end was seen, and nothing that ended it; {@code startedAt} if known.
   */
  public static SeenRun between(@Nullable Instant startedAt, Instant endedAt) {
    return new SeenRun(startedAt, endedAt, 0, false, false, null);
  }

  /** Adds this to the record of the run's layer. */
  JsonObject addTo(JsonObject json) {
    return json.with("startedAt", startedAt)
        .with("endedAt", endedAt)
        .with("signal", signal)
        .with("oom", oom)
        .with("shimDied", shimDied)
        .with("startedWithout", startedWithout);
  }

  /**
   * Reads what {@link #addTo} wrote.
   *
   * @throws IOException if a member is missing or of the wrong type
   * @throws ArithmeticException if the signal is no int
   */
  static SeenRun of(JsonObject json) throws IOException {
    return new SeenRun(
        json.has("startedAt") ? json.instant("startedAt") : null,
        json.instant("endedAt"),
        Math.toIntExact(json.number("signal")),
        json.flag("oom"),
        json.flag("shimDied"),
        json.stringOrNull("startedWithout"));
  }
}
