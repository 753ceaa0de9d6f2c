package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.queue.QueueContent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Settings of queues, which both sides keep: the later change wins, at the same time the node's.
 * What was lost stands beside what won.
 */
final class QueueSettings {
  private static final int TEXT_MAX = 255;
  private static final int KEEP_MAX = QueueContent.KEEP_MAX;
  private static final Pattern NAME =
      Pattern.compile("keep|pin:[0-9a-f]{32}|(?:label|policy):[A-Za-z0-9][A-Za-z0-9._/-]{0,127}");

  private QueueSettings() {}

  /** A setting of a queue of a node. */
  record Place(String node, String queue, String name) {
    String subject() {
      return node + " " + queue + " " + name;
    }
  }

  /**
   * What it was set to.
   *
   * @param value a JSON object with the member {@code value}
   */
  record Value(String value, long changedAt, String changedBy) {
    JsonObject json() {
      return parsed(value).with("changedAt", Names.time(changedAt)).with("changedBy", changedBy);
    }
  }

  /**
   * A value that fits a setting.
   *
   * @throws ProblemException BAD_INPUT if it does not, or there is no such setting
   */
  static String value(String name, @Nullable Object value) throws ProblemException {
    if (!NAME.matcher(name).matches()) {
      throw Names.bad(
          "there is no setting '"
              + name
              + "'; there are keep, pin:SNAPSHOT, label:NAME, policy:NAME");
    }
    boolean fits =
        switch (name.charAt(0) == 'l'
            ? "text"
            : name.startsWith("pol") ? "text" : name.substring(0, 3)) {
          case "kee" -> value instanceof Long number && number >= 1 && number <= KEEP_MAX;
          case "pin" -> value instanceof Boolean;
          default ->
              value instanceof String text
                  && text.length() <= TEXT_MAX
                  && text.chars().noneMatch(Character::isISOControl);
        };
    if (!fits) {
      throw Names.bad(
          "'"
              + name
              + "' cannot be that: keep is a number from 1 to 1000, pin:… true or"
              + " false, others a text of at most "
              + TEXT_MAX
              + " characters");
    }
    return new JsonObject().with("value", value).toString();
  }

  /** An operator's change, made after all that is known; the node is sent it. */
  static JsonObject set(Edit edit, Place place, String value, String by)
      throws SQLException, ProblemException {
    Nodes.require(edit.session(), place.node());
    Optional<Value> before = find(edit.session(), place);
    // A clock that is behind the node's must not make what follows come before.
    long at = Math.max(edit.now(), before.map(Value::changedAt).orElse(0L) + 1);
    Value after = new Value(value, at, by);
    if (before.isEmpty() && Messages.waiting(edit, place.node()) >= Messages.WAITING_MAX) {
      throw Names.refused(place.node() + " has not taken " + Messages.WAITING_MAX + " messages");
    }
    store(edit, place, after, null);
    send(edit, place, after);
    edit.audit(by, "setQueueSetting", place.subject(), value);
    return tell(edit, place, after, null);
  }

  /** What a node says that a setting is there. */
  static void heard(Edit edit, Place place, Value theirs) throws SQLException {
    Optional<Value> known = find(edit.session(), place);
    if (known.isPresent()) {
      Value ours = known.get();
      boolean same = ours.value().equals(theirs.value());
      if (same && ours.changedAt() == theirs.changedAt()) {
        Messages.remove(edit, Messages.SETTING, place.subject());
        return;
      }
      if (theirs.changedAt() < ours.changedAt()) {
        send(edit, place, ours);
        if (!same) {
          store(edit, place, ours, theirs);
          tell(edit, place, ours, theirs);
        }
        return;
      }
      Messages.remove(edit, Messages.SETTING, place.subject());
      store(edit, place, theirs, same ? null : ours);
      tell(edit, place, theirs, same ? null : ours);
      return;
    }
    store(edit, place, theirs, null);
    tell(edit, place, theirs, null);
  }

  static List<JsonObject> list(Session session, String node, String queue) throws SQLException {
    return session.all(
        row -> {
          JsonObject json =
              new Value(row.text("value"), row.number("changed_at"), row.text("changed_by")).json();
          String loser = row.textOrNull("loser");
          return new JsonObject()
              .with("name", row.text("name"))
              .with("value", json.members().get("value"))
              .with("changedAt", json.members().get("changedAt"))
              .with("changedBy", row.text("changed_by"))
              .with("loser", loser == null ? null : parsed(loser));
        },
        "SELECT name, value, changed_at, changed_by, loser FROM settings"
            + " WHERE node = ? AND queue = ? AND value <> '{\"value\":\"\"}'"
            + " ORDER BY name LIMIT 1000",
        node,
        queue);
  }

  private static Optional<Value> find(Session session, Place place) throws SQLException {
    return session.one(
        row -> new Value(row.text("value"), row.number("changed_at"), row.text("changed_by")),
        "SELECT value, changed_at, changed_by FROM settings"
            + " WHERE node = ? AND queue = ? AND name = ?",
        place.node(),
        place.queue(),
        place.name());
  }

  private static void store(Edit edit, Place place, Value value, @Nullable Value loser)
      throws SQLException {
    edit.write()
        .update(
            "INSERT INTO settings (node, queue, name, value, changed_at, changed_by, loser)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node, queue, name) DO UPDATE SET"
                + " value = excluded.value, changed_at = excluded.changed_at,"
                + " changed_by = excluded.changed_by, loser = excluded.loser",
            place.node(),
            place.queue(),
            place.name(),
            value.value(),
            value.changedAt(),
            value.changedBy(),
            loser == null ? null : loser.json().toString());
  }

  /** In the place of an earlier one that was not taken. */
  private static void send(Edit edit, Place place, Value value) throws SQLException {
    Messages.remove(edit, Messages.SETTING, place.subject());
    JsonObject body = new JsonObject().with("queue", place.queue()).with("name", place.name());
    value.json().members().forEach(body::with);
    Messages.add(
        edit,
        place.node(),
        Messages.SETTING,
        place.subject(),
        new JsonObject()
            .with("id", Ids.make())
            .with("kind", Messages.SETTING)
            .with("body", body)
            .with("askedBy", value.changedBy())
            .with("askedAt", Names.time(edit.now())));
  }

  private static JsonObject tell(Edit edit, Place place, Value value, @Nullable Value loser)
      throws SQLException {
    JsonObject json =
        new JsonObject()
            .with("node", place.node())
            .with("queue", place.queue())
            .with("name", place.name());
    value.json().members().forEach(json::with);
    json.with("loser", loser == null ? null : loser.json());
    edit.tell("setting", place.node(), true, json);
    return json;
  }

  private static JsonObject parsed(String json) {
    try {
      return JsonObject.parse(json);
    } catch (IOException e) {
      throw new UncheckedIOException("the database holds what is no JSON", e);
    }
  }
}
