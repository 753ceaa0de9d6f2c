package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Edit;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What becomes of what a node tells. The same told twice is the same as told once. */
final class Reports {
  private Reports() {}

  /**
   * Applies reports in order.
   *
   * @return the jobs among them that the node is not to begin, or to end: they were withdrawn
   */
  static Set<String> apply(Edit edit, String node, List<Report> reports) throws SQLException {
    Set<String> withdrawn = new TreeSet<>();
    for (Report report : reports) {
      switch (report) {
        case Report.OfJob job -> job(edit, node, job, withdrawn);
        case Report.Refused refused -> refused(edit, node, refused);
        case Report.Inventory inventory -> MirroredQueues.replaceAll(edit, node, inventory);
        case Report.Queue queue -> MirroredQueues.replace(edit, node, queue.queue());
        case Report.QueueGone gone -> MirroredQueues.remove(edit, node, gone.name());
        case Report.Removed removed -> removed(edit, node, removed);
        case Report.Setting setting ->
            QueueSettings.heard(
                edit,
                new QueueSettings.Place(node, setting.queue(), setting.name()),
                setting.value());
      }
    }
    return withdrawn;
  }

  private static void job(Edit edit, String node, Report.OfJob report, Set<String> withdrawn)
      throws SQLException {
    String id = report.id();
    Optional<JobRow> known =
        id != null ? FleetJobs.find(edit.session(), id) : begunThere(edit, node, report);
    if (known.isEmpty() && id == null) {
      follow(edit, begun(edit, node, report), report);
      return;
    }
    if (known.isEmpty() || !known.get().node().equals(node)) {
      if (id != null) {
        withdrawn.add(id); // Of another fleet, or removed with its node: nobody asked for it.
      }
      return;
    }
    JobRow job = known.get();
    if (announced(report)) {
      announced(edit, job, report, withdrawn);
    } else if (job.ended()) {
      late(edit, job, report, withdrawn);
    } else if (report.revision() > job.revision()) {
      follow(edit, job, report);
    }
  }

  /** A node's ids of jobs are short, and come again some day. */
  private static Optional<JobRow> begunThere(Edit edit, String node, Report.OfJob report)
      throws SQLException {
    long any = -1;
    long askedAt = Names.millis(report.job(), "askedAt", any);
    return edit.session()
        .one(
            JobRow::of,
            "SELECT "
                + JobRow.COLUMNS
                + " FROM jobs WHERE node = ? AND node_job = ? AND origin = ?"
                + " AND (asked_at = ? OR ? = -1) ORDER BY seq DESC LIMIT 1",
            node,
            report.nodeJob(),
            JobRow.NODE,
            askedAt,
            askedAt);
  }

  /** A node that has a message, and asks whether it may begin, names its own job so. */
  private static boolean announced(Report.OfJob report) {
    return report.id() != null && report.nodeJob().equals("fleet:" + report.id());
  }

  /** It may, unless the job has ended, or was begun before: then the node has lost it. */
  private static void announced(Edit edit, JobRow job, Report.OfJob report, Set<String> withdrawn)
      throws SQLException {
    if (!job.ended() && job.revision() <= report.revision()) {
      follow(edit, job, report);
      return;
    }
    withdrawn.add(job.id());
    if (!job.ended()) {
      FleetJobs.end(
          edit, job, "interrupted", "its node had begun it, and knows nothing of it any more");
    }
  }

  /** Nobody waits for it any more, or it ended as reported before. */
  private static void late(Edit edit, JobRow job, Report.OfJob report, Set<String> withdrawn)
      throws SQLException {
    if (job.begunOnNode() || job.takenAt() != null) {
      return;
    }
    withdrawn.add(job.id());
    String state = state(report.job());
    if (!state.equals(JobRow.WAITING) && !state.equals(JobRow.FAILED)) {
      Alarms.raise(
          edit,
          Alarms.RAN_LATE,
          job.node(),
          job.id(),
          false,
          new JsonObject()
              .with("job", job.id())
              .with(
                  "message", job.kind() + " of " + job.subject() + " ran after it was withdrawn"));
    }
  }

  private static JobRow begun(Edit edit, String node, Report.OfJob report) throws SQLException {
    String id = Ids.make();
    JsonObject job = report.job();
    edit.write()
        .update(
            "INSERT INTO jobs (id, seq, node, origin, node_job, kind, subject, state, asked_by,"
                + " asked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id,
            edit.next(),
            node,
            JobRow.NODE,
            report.nodeJob(),
            text(job, "kind", "job"),
            text(job, "subject", node),
            JobRow.WAITING,
            text(job, "askedBy", node),
            Names.millis(job, "askedAt", edit.now()));
    return FleetJobs.find(edit.session(), id).orElseThrow();
  }

  private static void follow(Edit edit, JobRow job, Report.OfJob report) throws SQLException {
    JsonObject told = report.job();
    String state = state(told);
    boolean ended = state.equals(JobRow.SUCCESS) || state.equals(JobRow.FAILED);
    boolean began = !state.equals(JobRow.WAITING) && job.startedAt() == null;
    Long startedAt =
        told.has("startedAt") || (began && !(ended && state.equals(JobRow.FAILED)))
            ? (Long) Names.millis(told, "startedAt", edit.now())
            : job.startedAt();
    edit.write()
        .update(
            "UPDATE jobs SET state = ?, revision = ?, node_job = ?, kind = ?, taken_at = ?,"
                + " started_at = ?, ended_at = ?, code = ?, message = ?, report = ? WHERE id = ?",
            state,
            report.revision(),
            report.nodeJob(),
            text(told, "kind", job.kind()),
            job.takenAt() == null ? (Long) edit.now() : job.takenAt(),
            startedAt,
            ended ? (Long) Names.millis(told, "endedAt", edit.now()) : null,
            text(told, "code", null),
            text(told, "message", null),
            JobRow.kept(told),
            job.id());
    if (ended) {
      Messages.removeAbout(edit, job.id());
    } else if (job.takenAt() == null && !job.begunOnNode()) {
      Messages.remove(edit, Messages.OPERATION, job.id());
    }
    FleetJobs.told(edit, job.id(), false);
  }

  private static void refused(Edit edit, String node, Report.Refused report) throws SQLException {
    Optional<JobRow> job = FleetJobs.find(edit.session(), report.id());
    if (job.isPresent() && job.get().node().equals(node) && !job.get().ended()) {
      FleetJobs.end(edit, job.get(), report.code(), report.message());
    }
  }

  private static void removed(Edit edit, String node, Report.Removed report) throws SQLException {
    String snapshot = report.snapshot();
    String what = report.queue() + (snapshot == null ? "" : "@" + snapshot);
    Alarms.raise(
        edit,
        Alarms.REMOVED,
        node,
        report.what() + " " + what + " " + report.at(),
        false,
        new JsonObject()
            .with("what", report.what())
            .with("queue", report.queue())
            .with("snapshot", snapshot)
            .with("by", report.by())
            .with("at", Names.time(report.at()))
            .with("message", report.by() + " removed " + what + " on " + node));
  }

  private static String state(JsonObject job) {
    return job.members().get("state") instanceof String state && JobRow.STATES.contains(state)
        ? state
        : JobRow.RUNNING;
  }

  private static @Nullable String text(JsonObject json, String member, @Nullable String other) {
    return json.members().get(member) instanceof String text ? Names.words(text) : other;
  }
}
