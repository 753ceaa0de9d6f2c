package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Secrets;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The queues and snapshots of nodes, as those last told them. */
final class MirroredQueues {
  private static final int SNAPSHOTS_MAX = 10_000;

  private MirroredQueues() {}

  /** Reads a queue as a node tells it; what it says beyond a name is shown as it is. */
  static Report.Mirrored read(JsonObject json, long now) throws IOException {
    String name = Report.name(json, "name");
    List<JsonObject> snapshots = json.objects("snapshots");
    if (snapshots.size() > SNAPSHOTS_MAX) {
      throw Names.bad("a queue shows at most " + SNAPSHOTS_MAX + " snapshots");
    }
    JsonObject summary = new JsonObject();
    for (Map.Entry<String, @Nullable Object> member : json.members().entrySet()) {
      if (!member.getKey().equals("snapshots") && !member.getKey().equals("settings")) {
        summary.with(member.getKey(), member.getValue());
      }
    }
    summary.with("snapshots", snapshots.size());
    String shown = summary.toString();
    String rows = new JsonObject().with("snapshots", snapshots).toString();
    return new Report.Mirrored(
        name,
        Secrets.sha256(shown + rows),
        shown,
        rows,
        settings(json.objectOrNull("settings"), now));
  }

  /**
   * Those that bear when they were changed; others are those of a node that keeps no such thing.
   */
  private static Map<String, QueueSettings.Value> settings(@Nullable JsonObject json, long now)
      throws IOException {
    Map<String, QueueSettings.Value> all = new LinkedHashMap<>();
    if (json != null) {
      for (Map.Entry<String, @Nullable Object> member : json.members().entrySet()) {
        if (member.getValue() instanceof JsonObject value && value.has("changedAt")) {
          JsonObject named = new JsonObject().with("name", member.getKey());
          all.put(member.getKey(), Report.value(named, value, now));
        }
      }
    }
    return all;
  }

  static void replaceAll(Edit edit, String node, Report.Inventory inventory) throws SQLException {
    Map<String, String> known = new HashMap<>();
    edit.session()
        .all(
            row -> known.put(row.text("name"), row.text("hash")),
            "SELECT name, hash FROM queues WHERE node = ?",
            node);
    for (Report.Mirrored queue : inventory.queues()) {
      String before = known.remove(queue.name());
      if (!queue.hash().equals(before)) {
        store(edit, node, queue);
      }
      settings(edit, node, queue);
    }
    Set<String> names = inventory.names();
    for (String gone : known.keySet()) {
      if (names == null || !names.contains(gone)) {
        remove(edit, node, gone);
      }
    }
    edit.write()
        .update("UPDATE nodes SET containers = ? WHERE name = ?", inventory.containers(), node);
  }

  static void replace(Edit edit, String node, Report.Mirrored queue) throws SQLException {
    long same =
        edit.session()
            .number(
                "SELECT count(*) FROM queues WHERE node = ? AND name = ? AND hash = ?",
                node,
                queue.name(),
                queue.hash());
    if (same == 0) {
      store(edit, node, queue);
    }
    settings(edit, node, queue);
  }

  static void remove(Edit edit, String node, String name) throws SQLException {
    edit.write().update("DELETE FROM settings WHERE node = ? AND queue = ?", node, name);
    if (edit.write().update("DELETE FROM queues WHERE node = ? AND name = ?", node, name) > 0) {
      edit.tell("queueGone", node, false, new JsonObject().with("node", node).with("name", name));
    }
  }

  /** Queues of a node after {@code cursor}, by name, without their snapshots. */
  static List<JsonObject> list(Session session, String node, String cursor, int limit)
      throws SQLException {
    return session.all(
        row -> parsed(row.text("summary")),
        "SELECT summary FROM queues WHERE node = ? AND name > ? ORDER BY name LIMIT ?",
        node,
        cursor,
        limit);
  }

  static JsonObject get(Session session, String node, String name)
      throws SQLException, ProblemException {
    return session
        .one(
            row ->
                parsed(row.text("summary"))
                    .with("snapshots", parsed(row.text("snapshots")).members().get("snapshots")),
            "SELECT summary, snapshots FROM queues WHERE node = ? AND name = ?",
            node,
            name)
        .orElseThrow(() -> Names.missing(node + " has shown no queue '" + name + "'"))
        .with("settings", QueueSettings.list(session, node, name));
  }

  private static void settings(Edit edit, String node, Report.Mirrored queue) throws SQLException {
    for (Map.Entry<String, QueueSettings.Value> setting : queue.settings().entrySet()) {
      QueueSettings.heard(
          edit, new QueueSettings.Place(node, queue.name(), setting.getKey()), setting.getValue());
    }
  }

  private static void store(Edit edit, String node, Report.Mirrored queue) throws SQLException {
    edit.write()
        .update(
            "INSERT INTO queues (node, name, hash, summary, snapshots) VALUES (?, ?, ?, ?, ?)"
                + " ON CONFLICT (node, name) DO UPDATE SET hash = excluded.hash,"
                + " summary = excluded.summary, snapshots = excluded.snapshots",
            node,
            queue.name(),
            queue.hash(),
            queue.summary(),
            queue.snapshots());
    edit.tell("queue", node, false, parsed(queue.summary()).with("node", node));
  }

  private static JsonObject parsed(String json) {
    try {
      return JsonObject.parse(json);
    } catch (IOException e) {
      throw new UncheckedIOException("the database holds what is no JSON", e);
    }
  }
}
