package dev.regen.agent.fleet.db;

import java.io.IOException;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The tables, and how they came about: version <i>n</i> is made of the first <i>n</i> steps. Times
 * are milliseconds since 1970. Numbers of all tables come from one counter, {@code seq}, in the
 * order in which their transactions end.
 */
final class Tables {
  private static final List<List<String>> STEPS =
      List.of(
          List.of(
              "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
              "INSERT INTO counters VALUES ('seq', 0), ('pruned', 0)",
              "CREATE TABLE managers (id TEXT PRIMARY KEY, seen_at BIGINT NOT NULL)",
              "CREATE TABLE nodes (name TEXT PRIMARY KEY, token_hash TEXT UNIQUE,"
                  + " added_at BIGINT NOT NULL, added_by TEXT NOT NULL,"
                  // Which manager it is connected to, null if to none; the newest connection.
                  + " manager TEXT, epoch BIGINT NOT NULL DEFAULT 0, connected_at BIGINT,"
                  + " seen_at BIGINT, containers TEXT)",
              "CREATE TABLE tokens (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
                  + " role TEXT NOT NULL, made_at BIGINT NOT NULL, made_by TEXT NOT NULL)",
              "CREATE TABLE jobs (id TEXT PRIMARY KEY, seq BIGINT NOT NULL UNIQUE,"
                  + " node TEXT NOT NULL, origin TEXT NOT NULL, node_job TEXT, operation TEXT,"
                  + " parts TEXT, body TEXT, kind TEXT NOT NULL, subject TEXT NOT NULL,"
                  + " state TEXT NOT NULL, revision BIGINT NOT NULL DEFAULT -1,"
                  + " asked_by TEXT NOT NULL, asked_at BIGINT NOT NULL, sent_at BIGINT,"
                  + " taken_at BIGINT, started_at BIGINT, ended_at BIGINT, code TEXT,"
                  + " message TEXT, report TEXT, cancel_by TEXT, cancel_at BIGINT,"
                  + " idempotency_key TEXT UNIQUE)",
              "CREATE INDEX jobs_of_node ON jobs (node, seq)",
              "CREATE INDEX jobs_in_state ON jobs (state, seq)",
              "CREATE INDEX jobs_of_node_in_state ON jobs (node, state, seq)",
              "CREATE INDEX jobs_ended ON jobs (ended_at)",
              "CREATE INDEX jobs_begun_on_node ON jobs (node, node_job)",
              // What a node has not said that it has.
              "CREATE TABLE messages (seq BIGINT PRIMARY KEY, node TEXT NOT NULL,"
                  + " kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL,"
                  + " asked_at BIGINT NOT NULL, sent_at BIGINT)",
              "CREATE INDEX messages_of_node ON messages (node, seq)",
              "CREATE INDEX messages_about ON messages (subject)",
              "CREATE INDEX messages_by_age ON messages (kind, asked_at)",
              "CREATE TABLE queues (node TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL,"
                  + " summary TEXT NOT NULL, snapshots TEXT NOT NULL, PRIMARY KEY (node, name))",
              "CREATE TABLE settings (node TEXT NOT NULL, queue TEXT NOT NULL, name TEXT NOT NULL,"
                  + " value TEXT NOT NULL, changed_at BIGINT NOT NULL, changed_by TEXT NOT NULL,"
                  + " loser TEXT, PRIMARY KEY (node, queue, name))",
              "CREATE TABLE figures (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
              "CREATE TABLE alarms (seq BIGINT PRIMARY KEY, kind TEXT NOT NULL, node TEXT NOT NULL,"
                  + " about TEXT NOT NULL, data TEXT NOT NULL, raised_at BIGINT NOT NULL,"
                  + " count BIGINT NOT NULL, acknowledged_at BIGINT, acknowledged_by TEXT)",
              "CREATE INDEX alarms_about ON alarms (about)",
              "CREATE TABLE changes (seq BIGINT PRIMARY KEY, kind TEXT NOT NULL, node TEXT,"
                  + " wake BIGINT NOT NULL, data TEXT NOT NULL)",
              "CREATE TABLE audit (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL,"
                  + " operation TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL)"),
          List.of(
              "CREATE TABLE moves (id TEXT PRIMARY KEY, seq BIGINT NOT NULL UNIQUE,"
                  + " queue TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,"
                  + " leave_volumes BIGINT NOT NULL, step TEXT NOT NULL,"
                  // The node's job that does the step, and the one that fetches meanwhile.
                  + " job TEXT, follower TEXT, tries BIGINT NOT NULL,"
                  // What is known once the queue has left.
                  + " snapshot TEXT, container BIGINT NOT NULL, running BIGINT NOT NULL,"
                  + " failure TEXT, cancelled_by TEXT, asked_by TEXT NOT NULL,"
                  + " asked_at BIGINT NOT NULL, ended_at BIGINT, message TEXT,"
                  + " idempotency_key TEXT UNIQUE)",
              "CREATE INDEX moves_by_end ON moves (ended_at)"));

  private Tables() {}

  /** Brings a database to the newest version. Several managers may do so at once. */
  static void bring(Database database, Session session) throws SQLException, IOException {
    database.begin(session);
    try (Statement statement = session.connection().createStatement()) {
      statement.execute("CREATE TABLE IF NOT EXISTS schema (version BIGINT NOT NULL)");
      long version = session.number("SELECT coalesce(max(version), 0) FROM schema");
      if (version > STEPS.size()) {
        throw new IOException(
            "it is of a later version of Regen: " + version + ", not " + STEPS.size());
      }
      for (List<String> step : STEPS.subList((int) version, STEPS.size())) {
        for (String sql : step) {
          statement.execute(sql);
        }
      }
      if (version < STEPS.size()) {
        session.update("INSERT INTO schema VALUES (?)", STEPS.size());
      }
      session.commit();
    }
  }
}
