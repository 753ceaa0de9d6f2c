package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A move of a queue from a node to another, as the database has it.
 *
 * @param step what is under way, or was the last
 * @param job of the node that does the step; null while none is asked for
 * @param follower the job that fetches what the step sends; null for none
 * @param tries how often the step was asked for
 * @param snapshot the last state, once the queue has left
 * @param container whether it has one, and {@code running} whether that ran; once it has left
 * @param failure why the move is being taken back, null if it is not
 */
record MoveRow(
    String id,
    long seq,
    String queue,
    String source,
    String target,
    boolean leaveVolumes,
    Step step,
    @Nullable String job,
    @Nullable String follower,
    long tries,
    @Nullable String snapshot,
    boolean container,
    boolean running,
    @Nullable String failure,
    @Nullable String cancelledBy,
    String askedBy,
    long askedAt,
    @Nullable Long endedAt,
    @Nullable String message) {

  static final String COLUMNS =
      "id, seq, queue, source, target, leave_volumes, step, job, follower, tries, snapshot,"
          + " container, running, failure, cancelled_by, asked_by, asked_at, ended_at, message";

  /** What is done, in this order; or, from the failed one on, the way back. */
  enum Step {
    /** The source captures the running container. */
    CAPTURE(true),
    /** The source sends that state, the target fetches it as it comes; the container runs on. */
    COPY(true),
    /** The source fences the queue, stops the container and sends the rest. */
    LEAVE(true),
    /** The target fetches the rest and starts the container. */
    ENTER(true),
    /** The target makes sure that it does not run there. */
    ABANDON(false),
    /** The source lifts its fence, and starts the container again if it ran. */
    STAY(false),
    DONE(true),
    FAILED(false);

    private final boolean forwards;

    Step(boolean forwards) {
      this.forwards = forwards;
    }

    boolean ended() {
      return this == DONE || this == FAILED;
    }

    /** Whether the move may still be cancelled. */
    boolean forwards() {
      return forwards && !ended();
    }

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static MoveRow of(Session.Row row) throws SQLException {
    return new MoveRow(
        row.text("id"),
        row.number("seq"),
        row.text("queue"),
        row.text("source"),
        row.text("target"),
        row.number("leave_volumes") != 0,
        Step.valueOf(row.text("step").toUpperCase(Locale.ROOT)),
        row.textOrNull("job"),
        row.textOrNull("follower"),
        row.number("tries"),
        row.textOrNull("snapshot"),
        row.number("container") != 0,
        row.number("running") != 0,
        row.textOrNull("failure"),
        row.textOrNull("cancelled_by"),
        row.text("asked_by"),
        row.number("asked_at"),
        row.numberOrNull("ended_at"),
        row.textOrNull("message"));
  }

  JsonObject json() {
    return new JsonObject()
        .with("id", id)
        .with("queue", queue)
        .with("from", source)
        .with("to", target)
        .with("state", state())
        .with("step", step.word())
        .with("job", job)
        .with("snapshot", snapshot)
        .with("failure", failure)
        .with("cancelAskedBy", cancelledBy)
        .with("askedBy", askedBy)
        .with("askedAt", Names.time(askedAt))
        .with("endedAt", Names.time(endedAt))
        .with("message", message);
  }

  private String state() {
    return switch (step) {
      case DONE -> "success";
      case FAILED -> "failed";
      case ABANDON, STAY -> "undoing";
      default -> "running";
    };
  }
}
