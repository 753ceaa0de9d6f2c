package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.db.Edit;
import dev.regen.agent.fleet.db.Session;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The jobs of a fleet: asked for, sent, followed, ended. What has ended stays as it is. */
final class FleetJobs {
  private static final String BY_ID = "SELECT " + JobRow.COLUMNS + " FROM jobs WHERE id = ?";

  private FleetJobs() {}

  /** What an operator wants of a node. */
  record Wanted(
      String node,
      String operation,
      Map<String, String> parts,
      JsonObject body,
      String askedBy,
      @Nullable String idempotencyKey) {}

  static Optional<JobRow> find(Session session, String id) throws SQLException {
    return session.one(JobRow::of, BY_ID, id);
  }

  static JobRow require(Session session, String id) throws SQLException, ProblemException {
    return find(session, id).orElseThrow(() -> Names.missing("there is no job '" + id + "'"));
  }

  /** Records a job and the message about it; a key that is known answers with its job. */
  static JobRow ask(Edit edit, Wanted wanted) throws SQLException, ProblemException {
    String key =
        wanted.idempotencyKey() == null ? null : wanted.askedBy() + ":" + wanted.idempotencyKey();
    JsonObject parts = new JsonObject();
    wanted.parts().forEach(parts::with);
    if (key != null) {
      Optional<JobRow> known =
          edit.session()
              .one(
                  JobRow::of,
                  "SELECT " + JobRow.COLUMNS + " FROM jobs WHERE idempotency_key = ?",
                  key);
      if (known.isPresent()) {
        return same(known.get(), wanted, parts);
      }
    }
    Nodes.require(edit.session(), wanted.node());
    if (Messages.waiting(edit, wanted.node()) >= Messages.WAITING_MAX) {
      throw new ProblemException(
          Failure.Code.TOO_MANY_REQUESTS,
          wanted.node() + " has not taken " + Messages.WAITING_MAX + " messages; no more are kept");
    }
    String id = Ids.make();
    edit.write()
        .update(
            "INSERT INTO jobs (id, seq, node, origin, operation, parts, body, kind, subject, state,"
                + " asked_by, asked_at, idempotency_key) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            id,
            edit.next(),
            wanted.node(),
            JobRow.MANAGER,
            wanted.operation(),
            parts.toString(),
            wanted.body().toString(),
            wanted.operation(),
            subject(wanted),
            JobRow.WAITING,
            wanted.askedBy(),
            edit.now(),
            key);
    Messages.add(
        edit,
        wanted.node(),
        Messages.OPERATION,
        id,
        new JsonObject()
            .with("id", id)
            .with("kind", Messages.OPERATION)
            .with("operation", wanted.operation())
            .with("parts", parts)
            .with("body", wanted.body())
            .with("askedBy", wanted.askedBy())
            .with("askedAt", Names.time(edit.now())));
    edit.audit(wanted.askedBy(), wanted.operation(), wanted.node() + " " + subject(wanted), id);
    return told(edit, id, true);
  }

  private static JobRow same(JobRow known, Wanted wanted, JsonObject parts)
      throws ProblemException {
    if (!known.node().equals(wanted.node())
        || !wanted.operation().equals(known.operation())
        || !parts.toString().equals(known.parts())
        || !wanted.body().toString().equals(known.body())) {
      throw Names.refused("this idempotency key was used for another job: " + known.id());
    }
    return known;
  }

  /** What the job is about, for a person. */
  private static String subject(Wanted wanted) {
    for (String part : List.of("queue", "container", "image")) {
      String value = wanted.parts().get(part);
      if (value == null && wanted.body().members().get(part) instanceof String text) {
        value = text;
      }
      if (value != null) {
        return value;
      }
    }
    return wanted.node();
  }

  /** Withdraws a job that its node has not been sent, or asks the node to end it. */
  static JobRow cancel(Edit edit, String id, String by) throws SQLException, ProblemException {
    JobRow job = require(edit.session(), id);
    if (job.ended()) {
      throw Names.refused("job " + id + " has ended: " + job.state());
    }
    edit.audit(by, "cancelJob", id, "asked");
    if (!job.begunOnNode() && job.sentAt() == null) {
      return end(edit, job, "cancelled", "cancelled before it was sent to its node");
    }
    if (job.cancelAt() == null) {
      edit.write()
          .update("UPDATE jobs SET cancel_by = ?, cancel_at = ? WHERE id = ?", by, edit.now(), id);
      sendCancel(edit, job, by);
    }
    return told(edit, id, true);
  }

  /** The node ends it, if it has it. */
  static void sendCancel(Edit edit, JobRow job, String by) throws SQLException {
    Messages.add(
        edit,
        job.node(),
        Messages.CANCEL,
        job.id(),
        new JsonObject()
            .with("id", Ids.make())
            .with("kind", Messages.CANCEL)
            .with("parts", new JsonObject().with("job", job.id()).with("nodeJob", job.nodeJob()))
            .with("askedBy", by)
            .with("askedAt", Names.time(edit.now())));
  }

  /** Ends a job that its node has not ended: nothing about it is sent from now on. */
  static JobRow end(Edit edit, JobRow job, String code, String message) throws SQLException {
    edit.write()
        .update(
            "UPDATE jobs SET state = ?, ended_at = ?, code = ?, message = ? WHERE id = ?",
            JobRow.FAILED,
            edit.now(),
            code,
            message,
            job.id());
    Messages.removeAbout(edit, job.id());
    return told(edit, job.id(), job.sentAt() != null);
  }

  /** Tells those who follow how a job is. */
  static JobRow told(Edit edit, String id, boolean wake) throws SQLException {
    JobRow job =
        find(edit.session(), id).orElseThrow(() -> new SQLException("job " + id + " is gone"));
    edit.tell("job", job.node(), wake, job.json());
    return job;
  }
}
