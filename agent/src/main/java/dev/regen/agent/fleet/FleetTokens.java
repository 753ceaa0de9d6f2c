package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Secrets;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.List;

/** Tokens of operators. */
final class FleetTokens {
  private static final int MAX = 10_000;

  private FleetTokens() {}

  /** Makes a token, which is shown once. */
  static String add(Edit edit, String name, Role role, String by)
      throws SQLException, ProblemException {
    if (edit.session().number("SELECT count(*) FROM tokens WHERE name = ?", name) > 0) {
      throw Names.refused(
          "there is a token '" + name + "' already; 'regen fleet rm-token' ends it");
    }
    if (edit.session().number("SELECT count(*) FROM tokens") >= MAX) {
      throw Names.refused("there are at most " + MAX + " tokens");
    }
    String token = Secrets.make();
    edit.write()
        .update(
            "INSERT INTO tokens (name, hash, role, made_at, made_by) VALUES (?, ?, ?, ?, ?)",
            name,
            Secrets.sha256(token),
            role.word(),
            edit.now(),
            by);
    edit.audit(by, "addToken", name + " " + role.word(), "done");
    tell(edit, name);
    return token;
  }

  static void remove(Edit edit, String name, String by) throws SQLException, ProblemException {
    if (edit.session().number("SELECT count(*) FROM tokens WHERE name = ?", name) == 0) {
      throw Names.missing("there is no token '" + name + "'");
    }
    boolean last =
        edit.session()
                .number(
                    "SELECT count(*) FROM tokens WHERE role = ? AND name <> ?",
                    Role.ADMIN.word(),
                    name)
            == 0;
    if (last) {
      throw Names.refused(
          "'" + name + "' is the last token with the role admin: make another first");
    }
    edit.write().update("DELETE FROM tokens WHERE name = ?", name);
    edit.audit(by, "removeToken", name, "done");
    tell(edit, name);
  }

  private static void tell(Edit edit, String name) throws SQLException {
    edit.tell("token", null, false, new JsonObject().with("name", name));
  }

  static List<JsonObject> list(Session session, String cursor, int limit) throws SQLException {
    return session.all(
        row ->
            new JsonObject()
                .with("name", row.text("name"))
                .with("role", row.text("role"))
                .with("madeAt", Names.time(row.number("made_at")))
                .with("madeBy", row.text("made_by")),
        "SELECT name, role, made_at, made_by FROM tokens WHERE name > ? ORDER BY name LIMIT ?",
        cursor,
        limit);
  }
}
