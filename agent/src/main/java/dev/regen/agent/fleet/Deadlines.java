package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What comes with time: jobs that no node has taken in time are withdrawn, managers that are gone
 * are noticed, what is old is deleted.
 */
final class Deadlines implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Deadlines.class);
  private static final Duration EVERY = Duration.ofSeconds(1);

  /** A manager that has said nothing for so long is gone. */
  private static final Duration MANAGER_SILENCE = Duration.ofSeconds(15);

  private static final int TOGETHER_MAX = 200;
  private static final int JOBS_MAX = 100_000;
  private static final int AUDIT_MAX = 200_000;
  private static final int MOVES_MAX = 20_000;
  private static final int PRUNED_MAX = 2_000;
  private static final int PRUNE_EVERY = 5;

  private final Writer writer;
  private final String manager;
  private final Thread thread;
  private volatile boolean closed;
  private long ticks;

  Deadlines(Writer writer, String manager) {
    this.writer = writer;
    this.manager = manager;
    thread = Thread.ofPlatform().daemon().name("fleet-deadlines").start(this::run);
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }

  private void run() {
    while (!closed) {
      try {
        Thread.sleep(EVERY);
        writer.write(edit -> tick(edit, manager));
        if (ticks++ % PRUNE_EVERY == 0) {
          writer.write(Deadlines::prune);
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("the fleet's deadlines were not looked at: {}", Why.of(e));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  static boolean tick(Edit edit, String manager) throws SQLException {
    edit.write()
        .update(
            "INSERT INTO managers (id, seen_at) VALUES (?, ?)"
                + " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
            manager,
            edit.now());
    for (String gone :
        edit.session()
            .all(
                row -> row.text("id"),
                "SELECT id FROM managers WHERE seen_at < ? LIMIT 100",
                edit.now() - MANAGER_SILENCE.toMillis())) {
      Nodes.forsake(edit, gone);
      edit.write().update("DELETE FROM managers WHERE id = ?", gone);
    }
    withdraw(edit);
    return true;
  }

  /** Withdraws what no node has taken in time; in the transaction in which its job fails. */
  private static void withdraw(Edit edit) throws SQLException {
    Figures figures = Figures.read(edit.session());
    long connected = edit.now() - figures.startDeadlineSeconds() * 1_000;
    long away = edit.now() - figures.awayDeadlineSeconds() * 1_000;
    List<String> late =
        edit.session()
            .all(
                row -> row.text("subject"),
                "SELECT m.subject FROM messages m JOIN nodes n ON n.name = m.node"
                    + " WHERE m.kind = 'operation' AND m.asked_at < ? AND"
                    + " ((n.manager IS NULL AND m.asked_at < ?)"
                    + " OR (n.manager IS NOT NULL AND m.asked_at < ? AND n.connected_at < ?))"
                    + " ORDER BY m.asked_at LIMIT ?",
                Math.max(connected, away),
                away,
                connected,
                connected,
                TOGETHER_MAX);
    for (String id : late) {
      JobRow job = FleetJobs.find(edit.session(), id).orElseThrow();
      FleetJobs.end(edit, job, "not_started", "its node did not take it in time");
      if (job.sentAt() != null) {
        // The node may have it and not have said so.
        FleetJobs.sendCancel(edit, job, "manager");
      }
    }
  }

  private static boolean prune(Edit edit) throws SQLException {
    long newest = edit.session().number("SELECT coalesce(max(seq), 0) FROM changes");
    long keptFrom =
        edit.session()
            .number(
                "SELECT coalesce((SELECT seq FROM changes WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
                    + " OFFSET ?), 0)",
                newest,
                FleetChanges.KEPT);
    if (keptFrom > 0) {
      edit.write().update("DELETE FROM changes WHERE seq <= ?", keptFrom);
      edit.write().update("UPDATE counters SET value = ? WHERE name = 'pruned'", keptFrom);
    }
    if (edit.session().number("SELECT count(*) FROM jobs") > JOBS_MAX) {
      edit.write()
          .update(
              "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at IS NOT NULL"
                  + " ORDER BY ended_at LIMIT ?)",
              PRUNED_MAX);
    }
    if (edit.session().number("SELECT count(*) FROM audit") > AUDIT_MAX) {
      edit.write()
          .update(
              "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?)",
              PRUNED_MAX);
    }
    if (edit.session().number("SELECT count(*) FROM moves") > MOVES_MAX) {
      edit.write()
          .update(
              "DELETE FROM moves WHERE id IN (SELECT id FROM moves WHERE ended_at IS NOT NULL"
                  + " ORDER BY ended_at LIMIT ?)",
              PRUNED_MAX);
    }
    edit.write()
        .update(
            "DELETE FROM messages WHERE kind = 'cancel' AND asked_at < ?",
            edit.now() - Duration.ofDays(1).toMillis());
    return true;
  }
}
