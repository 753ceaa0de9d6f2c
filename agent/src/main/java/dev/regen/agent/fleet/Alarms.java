package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** What somebody has to look at; it stays until somebody says that he has. */
final class Alarms {
  /** A snapshot or a queue was removed. */
  static final String REMOVED = "removed";

  /** Somebody said a name that is not his. */
  static final String FORGED_NAME = "forged_name";

  /** A node ran what had been withdrawn. */
  static final String RAN_LATE = "ran_late";

  private static final int MAX = 100_000;
  private static final String COLUMNS =
      "SELECT seq, kind, node, data, raised_at, count, acknowledged_at, acknowledged_by FROM alarms ";

  private Alarms() {}

  /**
   * Raises an alarm, unless it is raised already.
   *
   * @param about what it is about: a second one of the same counts with the first
   * @param again whether one that was acknowledged is raised anew
   */
  static void raise(
      Edit edit, String kind, String node, String about, boolean again, JsonObject data)
      throws SQLException {
    String key = kind + " " + node + " " + about;
    Optional<Long> known =
        edit.session()
            .one(
                row -> row.number("seq"),
                "SELECT seq FROM alarms WHERE about = ?"
                    + (again ? " AND acknowledged_at IS NULL" : "")
                    + " LIMIT 1",
                key);
    if (known.isPresent()) {
      if (again) {
        edit.write().update("UPDATE alarms SET count = count + 1 WHERE seq = ?", known.get());
        tell(edit, known.get());
      }
      return;
    }
    if (edit.session().number("SELECT count(*) FROM alarms") >= MAX) {
      edit.write().update("DELETE FROM alarms WHERE seq = (SELECT min(seq) FROM alarms)");
    }
    long seq = edit.next();
    edit.write()
        .update(
            "INSERT INTO alarms (seq, kind, node, about, data, raised_at, count)"
                + " VALUES (?, ?, ?, ?, ?, ?, 1)",
            seq,
            kind,
            node,
            key,
            data.toString(),
            edit.now());
    tell(edit, seq);
  }

  static JsonObject acknowledge(Edit edit, long seq, String by)
      throws SQLException, ProblemException {
    JsonObject alarm = get(edit.session(), seq);
    if (!alarm.has("acknowledgedAt")) {
      edit.write()
          .update(
              "UPDATE alarms SET acknowledged_at = ?, acknowledged_by = ? WHERE seq = ?",
              edit.now(),
              by,
              seq);
      edit.audit(by, "acknowledgeAlarm", String.valueOf(seq), "done");
      tell(edit, seq);
    }
    return get(edit.session(), seq);
  }

  /** Newest first, those before {@code cursor}. */
  static List<JsonObject> list(Session session, boolean all, long cursor, int limit)
      throws SQLException {
    return session.all(
        Alarms::json,
        COLUMNS
            + "WHERE seq < ? "
            + (all ? "" : "AND acknowledged_at IS NULL ")
            + "ORDER BY seq DESC LIMIT ?",
        cursor,
        limit);
  }

  private static void tell(Edit edit, long seq) throws SQLException {
    Optional<JsonObject> alarm = edit.session().one(Alarms::json, COLUMNS + "WHERE seq = ?", seq);
    if (alarm.isPresent()) {
      edit.tell("alarm", null, false, alarm.get());
    }
  }

  static JsonObject get(Session session, long seq) throws SQLException, ProblemException {
    return session
        .one(Alarms::json, COLUMNS + "WHERE seq = ?", seq)
        .orElseThrow(() -> Names.missing("there is no alarm " + seq));
  }

  private static JsonObject json(Session.Row row) throws SQLException {
    JsonObject json =
        new JsonObject()
            .with("id", String.valueOf(row.number("seq")))
            .with("kind", row.text("kind"))
            .with("node", row.text("node"))
            .with("raisedAt", Names.time(row.number("raised_at")))
            .with("count", row.number("count"))
            .with("acknowledgedAt", Names.time(row.numberOrNull("acknowledged_at")))
            .with("acknowledgedBy", row.textOrNull("acknowledged_by"));
    try {
      JsonObject.parse(row.text("data")).members().forEach(json::with);
    } catch (IOException e) {
      throw new UncheckedIOException("the database holds what is no JSON", e);
    }
    return json;
  }
}
