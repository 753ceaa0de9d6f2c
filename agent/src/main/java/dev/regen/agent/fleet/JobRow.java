package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A job of the fleet, as it stands in the database.
 *
 * @param seq its place among all
 * @param origin where it was begun
 * @param nodeJob its id at the node, null until that is known
 * @param operation what was asked for, null for one that was begun on the node
 * @param revision of the newest report, -1 before the first
 * @param takenAt when the node had it recorded
 * @param report what the node last said of it, null if nothing
 */
record JobRow(
    String id,
    long seq,
    String node,
    String origin,
    @Nullable String nodeJob,
    @Nullable String operation,
    @Nullable String parts,
    @Nullable String body,
    String kind,
    String subject,
    String state,
    long revision,
    String askedBy,
    long askedAt,
    @Nullable Long sentAt,
    @Nullable Long takenAt,
    @Nullable Long startedAt,
    @Nullable Long endedAt,
    @Nullable String code,
    @Nullable String message,
    @Nullable String report,
    @Nullable String cancelBy,
    @Nullable Long cancelAt) {
  static final String WAITING = "waiting";
  static final String RUNNING = "running";
  static final String SUCCESS = "success";
  static final String FAILED = "failed";
  static final Set<String> STATES = Set.of(WAITING, RUNNING, SUCCESS, FAILED);

  static final String MANAGER = "manager";
  static final String NODE = "node";

  static final String COLUMNS =
      "id, seq, node, origin, node_job, operation, parts, body, kind, subject, state, revision,"
          + " asked_by, asked_at, sent_at, taken_at, started_at, ended_at, code, message, report,"
          + " cancel_by, cancel_at";

  /** What of a node's own words about a job is passed on as it is. */
  private static final Set<String> TOLD =
      Set.of(
          "step",
          "entries",
          "bytes",
          "entriesExpected",
          "bytesExpected",
          "servers",
          "result",
          "batch",
          "steps");

  private static final int REPORT_CHARACTERS_MAX = 32 << 10;

  static JobRow of(Session.Row row) throws SQLException {
    return new JobRow(
        row.text("id"),
        row.number("seq"),
        row.text("node"),
        row.text("origin"),
        row.textOrNull("node_job"),
        row.textOrNull("operation"),
        row.textOrNull("parts"),
        row.textOrNull("body"),
        row.text("kind"),
        row.text("subject"),
        row.text("state"),
        row.number("revision"),
        row.text("asked_by"),
        row.number("asked_at"),
        row.numberOrNull("sent_at"),
        row.numberOrNull("taken_at"),
        row.numberOrNull("started_at"),
        row.numberOrNull("ended_at"),
        row.textOrNull("code"),
        row.textOrNull("message"),
        row.textOrNull("report"),
        row.textOrNull("cancel_by"),
        row.numberOrNull("cancel_at"));
  }

  boolean ended() {
    return state.equals(SUCCESS) || state.equals(FAILED);
  }

  boolean begunOnNode() {
    return origin.equals(NODE);
  }

  /** What is kept of a node's words about a job. */
  static String kept(JsonObject job) {
    JsonObject kept = new JsonObject();
    for (Map.Entry<String, @Nullable Object> member : job.members().entrySet()) {
      if (TOLD.contains(member.getKey())) {
        kept.with(member.getKey(), member.getValue());
      }
    }
    String text = kept.toString();
    if (text.length() > REPORT_CHARACTERS_MAX) {
      kept.members().remove("result");
      text = kept.toString();
    }
    return text.length() > REPORT_CHARACTERS_MAX ? "{}" : text;
  }

  JsonObject json() {
    JsonObject json =
        new JsonObject()
            .with("id", id)
            .with("node", node)
            .with("origin", origin)
            .with("nodeJob", nodeJob)
            .with("operation", operation)
            .with("parts", parsed(parts))
            .with("body", parsed(body))
            .with("kind", kind)
            .with("subject", subject)
            .with("state", state)
            .with("revision", revision)
            .with("askedBy", askedBy)
            .with("askedAt", Names.time(askedAt))
            .with("sentAt", Names.time(sentAt))
            .with("takenAt", Names.time(takenAt))
            .with("startedAt", Names.time(startedAt))
            .with("endedAt", Names.time(endedAt))
            .with("code", code)
            .with("message", message)
            .with("cancelAskedBy", cancelBy)
            .with("cancelAskedAt", Names.time(cancelAt))
            .with("step", "")
            .with("entries", 0)
            .with("bytes", 0);
    JsonObject told = parsed(report);
    if (told != null) {
      told.members().forEach(json::with);
    }
    return json;
  }

  private static @Nullable JsonObject parsed(@Nullable String json) {
    try {
      return json == null ? null : JsonObject.parse(json);
    } catch (IOException e) {
      throw new UncheckedIOException("the database holds what is no JSON", e);
    }
  }
}
