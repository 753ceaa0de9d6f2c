package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.MoveRow.Step;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The moves of queues between nodes: asked for, shown, cancelled. */
final class Moves {
  private static final String SELECT = "SELECT " + MoveRow.COLUMNS + " FROM moves ";

  private Moves() {}

  /**
   * What an operator wants.
   *
   * @param source null for the node that has the queue
   */
  record Wanted(
      String queue,
      @Nullable String source,
      String target,
      boolean leaveVolumes,
      String askedBy,
      @Nullable String idempotencyKey) {}

  /** Records a move; {@link MoveSteps} takes it from there. */
  static MoveRow ask(Edit edit, Wanted wanted) throws SQLException, ProblemException {
    String key =
        wanted.idempotencyKey() == null ? null : wanted.askedBy() + ":" + wanted.idempotencyKey();
    if (key != null) {
      Optional<MoveRow> known =
          edit.session().one(MoveRow::of, SELECT + "WHERE idempotency_key = ?", key);
      if (known.isPresent()) {
        return same(known.get(), wanted);
      }
    }
    if (wanted.target().equals(wanted.source())) {
      throw Names.bad("a queue moves to another node than the one that it comes from");
    }
    String source = source(edit.session(), wanted);
    for (String node : List.of(source, wanted.target())) {
      Nodes.require(edit.session(), node);
      requireConnected(edit.session(), node);
    }
    Optional<MoveRow> other =
        edit.session()
            .one(
                MoveRow::of,
                SELECT + "WHERE queue = ? AND ended_at IS NULL AND source IN (?, ?)",
                wanted.queue(),
                source,
                wanted.target());
    if (other.isPresent()) {
      throw Names.refused(
          "queue "
              + wanted.queue()
              + " is on its way to "
              + other.get().target()
              + " (move "
              + other.get().id()
              + ")");
    }
    String id = Ids.make();
    edit.write()
        .update(
            "INSERT INTO moves (id, seq, queue, source, target, leave_volumes, step, tries,"
                + " container, running, asked_by, asked_at, idempotency_key)"
                + " VALUES (?,?,?,?,?,?,?,0,0,0,?,?,?)",
            id,
            edit.next(),
            wanted.queue(),
            source,
            wanted.target(),
            wanted.leaveVolumes() ? 1 : 0,
            Step.CAPTURE.word(),
            wanted.askedBy(),
            edit.now(),
            key);
    edit.audit(
        wanted.askedBy(),
        "startMove",
        wanted.queue() + " from " + source + " to " + wanted.target(),
        id);
    return told(edit, id);
  }

  private static MoveRow same(MoveRow known, Wanted wanted) throws ProblemException {
    boolean same =
        known.queue().equals(wanted.queue())
            && known.target().equals(wanted.target())
            && (wanted.source() == null || known.source().equals(wanted.source()))
            && known.leaveVolumes() == wanted.leaveVolumes();
    if (!same) {
      throw Names.refused("this idempotency key was used for another move: " + known.id());
    }
    return known;
  }

  /** The node that was named, else the only one that has the queue, else where it moved last. */
  private static String source(Session session, Wanted wanted)
      throws SQLException, ProblemException {
    if (wanted.source() != null) {
      return wanted.source();
    }
    Optional<String> last =
        session.one(
            row -> row.text("target"),
            "SELECT target FROM moves WHERE queue = ? AND step = 'done'"
                + " ORDER BY ended_at DESC, seq DESC LIMIT 1",
            wanted.queue());
    if (last.isPresent() && last.get().equals(wanted.target())) {
      throw Names.refused("queue " + wanted.queue() + " has moved to " + last.get() + " already");
    }
    List<String> all =
        session.all(
            row -> row.text("node"),
            "SELECT node FROM queues WHERE name = ? AND node <> ? ORDER BY node LIMIT 1000",
            wanted.queue(),
            wanted.target());
    if (all.isEmpty()) {
      boolean there =
          session.number(
                  "SELECT count(*) FROM queues WHERE name = ? AND node = ?",
                  wanted.queue(),
                  wanted.target())
              > 0;
      throw Names.missing(
          "no "
              + (there ? "other " : "")
              + "node has shown a queue '"
              + wanted.queue()
              + "'; 'regen fleet ls' lists them, and one that has none yet is moved with 'from'");
    }
    if (all.size() > 1 && !last.filter(all::contains).isPresent()) {
      throw Names.bad(
          "queue " + wanted.queue() + " is at " + String.join(", ", all) + "; say from which");
    }
    return all.size() == 1 ? all.getFirst() : last.orElseThrow();
  }

  static boolean isConnected(Session session, String node) throws SQLException {
    return session.number("SELECT count(*) FROM nodes WHERE name = ? AND manager IS NOT NULL", node)
        > 0;
  }

  private static void requireConnected(Session session, String node)
      throws SQLException, ProblemException {
    if (!isConnected(session, node)) {
      throw Names.refused("node " + node + " is away; nothing is moved");
    }
  }

  static Optional<MoveRow> find(Session session, String id) throws SQLException {
    return session.one(MoveRow::of, SELECT + "WHERE id = ?", id);
  }

  static MoveRow require(Session session, String id) throws SQLException, ProblemException {
    return find(session, id).orElseThrow(() -> Names.missing("there is no move '" + id + "'"));
  }

  /** Newest first. */
  static List<JsonObject> list(Session session, long before, int limit) throws SQLException {
    return session.all(
        row -> MoveRow.of(row).json().with("seq", String.valueOf(row.number("seq"))),
        SELECT + "WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        before,
        limit);
  }

  static List<MoveRow> open(Session session) throws SQLException {
    return session.all(MoveRow::of, SELECT + "WHERE ended_at IS NULL ORDER BY seq LIMIT 1000");
  }

  /** The step that is under way is ended, and what was done is undone. */
  static MoveRow cancel(Edit edit, String id, String by) throws SQLException, ProblemException {
    MoveRow move = require(edit.session(), id);
    if (!move.step().forwards()) {
      throw Names.refused(
          move.step().ended() ? "move " + id + " has ended" : "move " + id + " is being undone");
    }
    edit.audit(by, "cancelMove", id, "asked");
    if (move.cancelledBy() == null) {
      edit.write().update("UPDATE moves SET cancelled_by = ? WHERE id = ?", by, id);
      for (String job : new @Nullable String[] {move.job(), move.follower()}) {
        if (job != null) {
          Optional<JobRow> known = FleetJobs.find(edit.session(), job);
          if (known.isPresent() && !known.get().ended()) {
            FleetJobs.cancel(edit, job, by);
          }
        }
      }
    }
    return told(edit, id);
  }

  /** Tells those who follow how a move is. */
  static MoveRow told(Edit edit, String id) throws SQLException {
    MoveRow move =
        find(edit.session(), id).orElseThrow(() -> new SQLException("move " + id + " is gone"));
    edit.tell("move", move.source(), false, move.json());
    return move;
  }
}
