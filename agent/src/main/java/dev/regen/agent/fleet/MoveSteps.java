package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.MoveRow.Step;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What comes next in a move, decided in the transaction that records it, so that any manager goes
 * on where one that was killed had come to.
 *
 * <p>The queue runs at no two nodes: the source is fenced before the target is asked to start
 * anything, and the fence is lifted only when the target has said that nothing runs there, or was
 * never told to begin.
 */
final class MoveSteps {
  /** An agent that dies again and again while a container arrives is not the one to have it. */
  private static final int ENTERS_MAX = 3;

  /** So long may a push that is followed keep quiet; what was not fetched is fetched later. */
  private static final int FOLLOW_SECONDS = 15;

  /** Between two tries of what has to succeed one day; a second more each time, up to this. */
  private static final long AGAIN_MILLIS_MAX = 60_000;

  private static final String AWAY = "waits for node ";

  private MoveSteps() {}

  /** Goes on with every move whose step has ended; whether there is one under way. */
  static boolean advance(Edit edit) throws SQLException {
    boolean any = false;
    for (MoveRow move : Moves.open(edit.session())) {
      any = true;
      try {
        advance(edit, move);
      } catch (ProblemException e) {
        // A node is gone, or takes no more: looked at again in a second.
        note(edit, move, e.getMessage());
      }
    }
    return any;
  }

  private static void advance(Edit edit, MoveRow move) throws SQLException, ProblemException {
    if (move.job() == null) {
      begin(edit, move);
      return;
    }
    Optional<JobRow> job = FleetJobs.find(edit.session(), move.job());
    if (job.isEmpty() || !job.get().ended()) {
      if (job.isEmpty()) {
        failed(edit, move, null, "the record of its job is gone");
      } else {
        waits(edit, move, job.get().node());
      }
      return;
    }
    if (move.follower() != null) {
      Optional<JobRow> follower = FleetJobs.find(edit.session(), move.follower());
      if (follower.isPresent() && !follower.get().ended()) {
        return;
      }
    }
    if (job.get().state().equals(JobRow.SUCCESS)) {
      succeeded(edit, move, job.get());
    } else {
      String why = job.get().message();
      failed(edit, move, job.get(), why == null ? "failed" : why);
    }
  }

  /** Says of a move that waits for a node that is away why it does not go on. */
  private static void waits(Edit edit, MoveRow move, String node) throws SQLException {
    String message = move.message();
    boolean said = message != null && message.startsWith(AWAY);
    if (!Moves.isConnected(edit.session(), node)) {
      note(
          edit,
          move,
          AWAY
              + node
              + (move.cancelledBy() == null
                  ? ", which is away"
                  : ", which is away, to be taken back: only that node knows what runs there"));
    } else if (said) {
      edit.write().update("UPDATE moves SET message = NULL WHERE id = ?", move.id());
      Moves.told(edit, move.id());
    }
  }

  private static void begin(Edit edit, MoveRow move) throws SQLException, ProblemException {
    switch (move.step()) {
      case CAPTURE ->
          ask(edit, move, move.source(), "captureContainer", "container", move.queue(), empty());
      case COPY -> {
        String pushed =
            job(edit, move, move.source(), "pushQueue", "queue", move.queue(), empty(), "");
        String pulled =
            job(
                edit,
                move,
                move.target(),
                "pullQueue",
                "queue",
                move.queue(),
                empty().with("follow", true).with("waitSeconds", FOLLOW_SECONDS),
                "-follow");
        edit.write()
            .update(
                "UPDATE moves SET job = ?, follower = ? WHERE id = ?", pushed, pulled, move.id());
        Moves.told(edit, move.id());
      }
      case LEAVE -> {
        if (!Moves.isConnected(edit.session(), move.target())) {
          end(edit, move, Step.FAILED, "node " + move.target() + " is away; nothing was moved");
          return;
        }
        ask(
            edit,
            move,
            move.source(),
            "leaveQueue",
            "queue",
            move.queue(),
            named(move).with("to", move.target()).with("leaveVolumes", move.leaveVolumes()));
      }
      case ENTER ->
          ask(
              edit,
              move,
              move.target(),
              "enterQueue",
              "queue",
              move.queue(),
              named(move)
                  .with("snapshot", move.snapshot())
                  .with("container", move.container())
                  .with("start", move.running()));
      case ABANDON ->
          ask(edit, move, move.target(), "abandonQueue", "queue", move.queue(), named(move));
      case STAY -> ask(edit, move, move.source(), "stayQueue", "queue", move.queue(), named(move));
      case DONE, FAILED -> {}
    }
  }

  private static void succeeded(Edit edit, MoveRow move, JobRow job)
      throws SQLException, ProblemException {
    boolean cancelled = move.cancelledBy() != null;
    switch (move.step()) {
      case CAPTURE, COPY -> {
        if (cancelled) {
          end(edit, move, Step.FAILED, "cancelled; nothing was moved");
        } else {
          go(edit, move, move.step() == Step.CAPTURE ? Step.COPY : Step.LEAVE);
        }
      }
      case LEAVE -> {
        left(edit, move, job);
        if (cancelled) {
          undo(edit, move, Step.STAY, "cancelled");
        } else {
          go(edit, move, Step.ENTER);
        }
      }
      case ENTER ->
          end(
              edit,
              move,
              Step.DONE,
              "queue " + move.queue() + " is at " + move.target() + " now: " + words(job));
      case ABANDON -> go(edit, move, Step.STAY);
      case STAY -> end(edit, move, Step.FAILED, undone(move, words(job)));
      case DONE, FAILED -> {}
    }
  }

  private static void failed(Edit edit, MoveRow move, @Nullable JobRow job, String why)
      throws SQLException, ProblemException {
    boolean begun = job == null || job.takenAt() != null;
    switch (move.step()) {
      case CAPTURE -> {
        if (job != null && ("not_found".equals(job.code()) || "refused".equals(job.code()))) {
          // It has no container that could be captured; the next step says if that is wrong.
          go(edit, move, Step.LEAVE);
        } else {
          end(edit, move, Step.FAILED, "nothing was moved: " + atSource(move, why));
        }
      }
      case COPY -> end(edit, move, Step.FAILED, "nothing was moved: " + atSource(move, why));
      case LEAVE -> {
        if (begun) {
          undo(edit, move, Step.STAY, atSource(move, why));
        } else {
          end(edit, move, Step.FAILED, "nothing was moved: " + atSource(move, why));
        }
      }
      case ENTER -> {
        boolean died = job != null && "interrupted".equals(job.code());
        if (died && move.tries() < ENTERS_MAX && move.cancelledBy() == null) {
          again(edit, move);
        } else {
          String reason = "at " + move.target() + ": " + why;
          undo(edit, move, begun ? Step.ABANDON : Step.STAY, reason);
        }
      }
      case ABANDON -> {
        // Until it is known that nothing runs there, nothing may run at the source.
        note(edit, move, "waits until " + move.target() + " says that nothing runs there: " + why);
        againInTime(edit, move, job);
      }
      case STAY -> {
        if (begun) {
          end(edit, move, Step.FAILED, undone(move, why));
        } else {
          note(edit, move, "waits for " + move.source() + ": " + why);
          againInTime(edit, move, job);
        }
      }
      case DONE, FAILED -> {}
    }
  }

  private static String atSource(MoveRow move, String why) {
    return "at " + move.source() + ": " + why;
  }

  private static String undone(MoveRow move, String how) {
    return move.failure() + "; the move was taken back: " + how;
  }

  /** What is known of a queue that has left. */
  private static void left(Edit edit, MoveRow move, JobRow job) throws SQLException {
    JsonObject result = result(job);
    edit.write()
        .update(
            "UPDATE moves SET snapshot = ?, container = ?, running = ? WHERE id = ?",
            result.members().get("snapshot") instanceof String snapshot ? snapshot : null,
            Boolean.TRUE.equals(result.members().get("container")) ? 1 : 0,
            Boolean.TRUE.equals(result.members().get("running")) ? 1 : 0,
            move.id());
  }

  private static String words(JobRow job) {
    return result(job).members().get("message") instanceof String words ? words : "done";
  }

  private static JsonObject result(JobRow job) {
    return job.json().members().get("result") instanceof JsonObject result ? result : empty();
  }

  private static void undo(Edit edit, MoveRow move, Step back, String why)
      throws SQLException, ProblemException {
    edit.write().update("UPDATE moves SET failure = ? WHERE id = ?", why, move.id());
    go(edit, move, back);
  }

  private static void go(Edit edit, MoveRow move, Step step) throws SQLException, ProblemException {
    edit.write()
        .update(
            "UPDATE moves SET step = ?, job = NULL, follower = NULL, tries = 0, message = NULL"
                + " WHERE id = ?",
            step.word(),
            move.id());
    begin(edit, Moves.find(edit.session(), move.id()).orElseThrow());
  }

  private static void again(Edit edit, MoveRow move) throws SQLException, ProblemException {
    begin(edit, Moves.find(edit.session(), move.id()).orElseThrow());
  }

  /** Not at once: a node that refuses in a moment would be asked without end. */
  private static void againInTime(Edit edit, MoveRow move, @Nullable JobRow job)
      throws SQLException, ProblemException {
    Long ended = job == null ? null : job.endedAt();
    long pause = Math.min(AGAIN_MILLIS_MAX, 1_000 * move.tries());
    if (ended == null || edit.now() - ended >= pause) {
      again(edit, move);
    }
  }

  private static void end(Edit edit, MoveRow move, Step step, String message) throws SQLException {
    edit.write()
        .update(
            "UPDATE moves SET step = ?, ended_at = ?, message = ? WHERE id = ?",
            step.word(),
            edit.now(),
            message,
            move.id());
    Moves.told(edit, move.id());
  }

  private static void note(Edit edit, MoveRow move, @Nullable String message) throws SQLException {
    if (message != null && !message.equals(move.message())) {
      edit.write().update("UPDATE moves SET message = ? WHERE id = ?", message, move.id());
      Moves.told(edit, move.id());
    }
  }

  private static void ask(
      Edit edit,
      MoveRow move,
      String node,
      String operation,
      String part,
      String value,
      JsonObject body)
      throws SQLException, ProblemException {
    String job = job(edit, move, node, operation, part, value, body, "");
    edit.write()
        .update(
            "UPDATE moves SET job = ?, follower = NULL, tries = tries + 1 WHERE id = ?",
            job,
            move.id());
    Moves.told(edit, move.id());
  }

  private static String job(
      Edit edit,
      MoveRow move,
      String node,
      String operation,
      String part,
      String value,
      JsonObject body,
      String which)
      throws SQLException, ProblemException {
    String key = "move:" + move.id() + ":" + move.step().word() + which + ":" + move.tries();
    return FleetJobs.ask(
            edit,
            new FleetJobs.Wanted(node, operation, Map.of(part, value), body, move.askedBy(), key))
        .id();
  }

  private static JsonObject named(MoveRow move) {
    return new JsonObject().with("move", move.id());
  }

  private static JsonObject empty() {
    return new JsonObject();
  }
}
