package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The fleet's own settings.
 *
 * @param startDeadlineSeconds how long a node that is connected may leave a message lying
 * @param awayDeadlineSeconds how long a message waits for a node that is away
 */
record Figures(long startDeadlineSeconds, long awayDeadlineSeconds) {
  private static final String START = "startDeadlineSeconds";
  private static final String AWAY = "awayDeadlineSeconds";
  private static final long START_DEFAULT = 60;
  private static final long AWAY_DEFAULT = 3_600;
  private static final long MAX = 30L * 24 * 3_600;

  static Figures read(Session session) throws SQLException {
    Map<String, Long> all = new LinkedHashMap<>();
    session
        .all(row -> Map.entry(row.text("name"), row.number("value")), "SELECT * FROM figures")
        .forEach(entry -> all.put(entry.getKey(), entry.getValue()));
    return new Figures(
        all.getOrDefault(START, START_DEFAULT), all.getOrDefault(AWAY, AWAY_DEFAULT));
  }

  static Figures change(Edit edit, JsonObject json, String by)
      throws SQLException, ProblemException {
    for (Map.Entry<String, @Nullable Object> member : json.members().entrySet()) {
      if (member.getValue() instanceof Long value && (value < 1 || value > MAX)) {
        throw Names.bad("'" + member.getKey() + "' is a number of seconds from 1 to " + MAX);
      }
    }
    for (Map.Entry<String, @Nullable Object> member : json.members().entrySet()) {
      if (member.getValue() instanceof Long value) {
        edit.write()
            .update(
                "INSERT INTO figures (name, value) VALUES (?, ?)"
                    + " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                member.getKey(),
                value);
      }
    }
    Figures after = read(edit.session());
    edit.audit(by, "changeSettings", "fleet", json.toString());
    edit.tell("settings", null, false, after.json());
    return after;
  }

  JsonObject json() {
    return new JsonObject().with(START, startDeadlineSeconds).with(AWAY, awayDeadlineSeconds);
  }
}
