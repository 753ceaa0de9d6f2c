package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Secrets;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The nodes of a fleet, and which manager each is connected to. */
final class Nodes {
  static final int MAX = 10_000;

  private static final String COLUMNS =
      "SELECT name, token_hash, added_at, added_by, manager, connected_at, seen_at, containers,"
          + " (SELECT count(*) FROM queues WHERE node = nodes.name) AS queues,"
          + " (SELECT count(*) FROM jobs WHERE node = nodes.name AND state = 'waiting') AS waiting,"
          + " (SELECT count(*) FROM jobs WHERE node = nodes.name AND state = 'running') AS running"
          + " FROM nodes ";

  private Nodes() {}

  static void require(Session session, String node) throws SQLException, ProblemException {
    if (session.number("SELECT count(*) FROM nodes WHERE name = ?", node) == 0) {
      throw Names.missing("there is no node '" + node + "'; 'regen fleet add-node' adds one");
    }
  }

  /**
   * Adds a node.
   *
   * @param token false for one that shows a certificate
   * @return its token, shown once, null for none
   */
  static @Nullable String add(Edit edit, String name, boolean token, String by)
      throws SQLException, ProblemException {
    if (edit.session().number("SELECT count(*) FROM nodes WHERE name = ?", name) > 0) {
      throw Names.refused("there is a node '" + name + "' already");
    }
    if (edit.session().number("SELECT count(*) FROM nodes") >= MAX) {
      throw Names.refused("a fleet has at most " + MAX + " nodes");
    }
    String made = token ? Secrets.make() : null;
    edit.write()
        .update(
            "INSERT INTO nodes (name, token_hash, added_at, added_by) VALUES (?, ?, ?, ?)",
            name,
            made == null ? null : Secrets.sha256(made),
            edit.now(),
            by);
    edit.audit(by, "addNode", name, "done");
    tell(edit, name);
    return made;
  }

  /** Another token takes the place of the one before, which is worth nothing from then on. */
  static String renew(Edit edit, String name, String by) throws SQLException, ProblemException {
    require(edit.session(), name);
    String made = Secrets.make();
    // Whoever is connected with the old one is not any more.
    edit.write()
        .update(
            "UPDATE nodes SET token_hash = ?, epoch = epoch + 1, manager = NULL WHERE name = ?",
            Secrets.sha256(made),
            name);
    edit.audit(by, "renewNodeToken", name, "done");
    edit.tell("token", null, false, new JsonObject().with("name", "node:" + name));
    tell(edit, name);
    return made;
  }

  /** Its jobs have failed, for nobody will hear of them. */
  static void remove(Edit edit, String name, String by) throws SQLException, ProblemException {
    require(edit.session(), name);
    for (JobRow job :
        edit.session()
            .all(
                JobRow::of,
                "SELECT "
                    + JobRow.COLUMNS
                    + " FROM jobs WHERE node = ? AND state IN ('waiting', 'running')",
                name)) {
      FleetJobs.end(edit, job, "node_removed", "its node was removed from the fleet");
    }
    for (String table : List.of("messages", "queues", "settings")) {
      edit.write().update("DELETE FROM " + table + " WHERE node = ?", name);
    }
    edit.write().update("DELETE FROM nodes WHERE name = ?", name);
    edit.audit(by, "removeNode", name, "done");
    edit.tell("nodeGone", name, true, new JsonObject().with("name", name));
  }

  /**
   * A node has connected, and is not connected in any other way from now on.
   *
   * @param last the newest message that it has recorded
   * @return the connection's number
   */
  static long connect(Edit edit, String name, String manager, long last)
      throws SQLException, ProblemException {
    require(edit.session(), name);
    long epoch = edit.next();
    edit.write()
        .update(
            "UPDATE nodes SET manager = ?, epoch = ?, connected_at = ?, seen_at = ? WHERE name = ?",
            manager,
            epoch,
            edit.now(),
            edit.now(),
            name);
    Messages.recorded(edit, name, last);
    tell(edit, name);
    return epoch;
  }

  /** That connection has ended, if the node has no newer one. */
  static void disconnect(Edit edit, String name, long epoch) throws SQLException {
    int rows =
        edit.write()
            .update(
                "UPDATE nodes SET manager = NULL, seen_at = ? WHERE name = ? AND epoch = ?",
                edit.now(),
                name,
                epoch);
    if (rows > 0) {
      tell(edit, name);
    }
  }

  /** Nobody is connected to a manager that is gone. */
  static void forsake(Edit edit, String manager) throws SQLException {
    for (String name :
        edit.session()
            .all(row -> row.text("name"), "SELECT name FROM nodes WHERE manager = ?", manager)) {
      edit.write()
          .update("UPDATE nodes SET manager = NULL, seen_at = ? WHERE name = ?", edit.now(), name);
      tell(edit, name);
    }
  }

  static void tell(Edit edit, String name) throws SQLException {
    edit.tell("node", name, true, one(edit.session(), name));
  }

  private static JsonObject one(Session session, String name) throws SQLException {
    return session
        .one(Nodes::json, COLUMNS + "WHERE name = ?", name)
        .orElseThrow(() -> new SQLException("node " + name + " is gone"));
  }

  static JsonObject get(Session session, String name) throws SQLException, ProblemException {
    require(session, name);
    return one(session, name);
  }

  /** The nodes after {@code cursor}, by name. */
  static List<JsonObject> list(Session session, String cursor, int limit) throws SQLException {
    return new ArrayList<>(
        session.all(Nodes::json, COLUMNS + "WHERE name > ? ORDER BY name LIMIT ?", cursor, limit));
  }

  /** The containers of a node, as it last told them. */
  static JsonObject containers(Session session, String name) throws SQLException, ProblemException {
    require(session, name);
    String told =
        session
            .one(row -> row.text("containers"), "SELECT containers FROM nodes WHERE name = ?", name)
            .orElse("null");
    return new JsonObject().with("containers", told.equals("null") ? List.of() : containers(told));
  }

  private static List<JsonObject> containers(String told) {
    try {
      return JsonObject.parse(told).objects("containers");
    } catch (IOException e) {
      throw new UncheckedIOException("the database holds what is no JSON", e);
    }
  }

  private static JsonObject json(Session.Row row) throws SQLException {
    Long seen = row.numberOrNull("seen_at");
    boolean connected = row.textOrNull("manager") != null;
    String containers = row.textOrNull("containers");
    return new JsonObject()
        .with("name", row.text("name"))
        .with("state", connected ? "connected" : seen == null ? "never-seen" : "away")
        .with("connectedAt", connected ? Names.time(row.numberOrNull("connected_at")) : null)
        .with("seenAt", connected ? null : Names.time(seen))
        .with("queues", row.number("queues"))
        .with("containers", containers == null ? null : containers(containers).size())
        .with("jobsWaiting", row.number("waiting"))
        .with("jobsRunning", row.number("running"))
        .with("token", row.textOrNull("token_hash") != null)
        .with("addedAt", Names.time(row.number("added_at")))
        .with("addedBy", row.text("added_by"));
  }
}
