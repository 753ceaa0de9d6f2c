package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.Differences;
import dev.regen.agent.container.Differences.Prepared;
import dev.regen.agent.jobs.Failure;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.diff.Change;
import dev.regen.snapshot.diff.ShownPath;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * {@code …/snapshots/S/diff}: what differs from S to {@code ?to=S}, of queue {@code ?toQueue=}; or
 * to {@code ?container=}, by default the one of the queue.
 *
 * <p>The answer is a JSON object a line: first what is compared ({@code from}, {@code to}, {@code
 * running}, {@code notes}), then a change each ({@code kind}, {@code path}, {@code what}, {@code
 * type}), and last {@code changes}, their number, or {@code failed} with {@code code} and {@code
 * message}.
 */
public final class DiffResource {
  private final Snapshots found;
  private final SnapshotStore snapshots;
  private final Differences differences;

  public DiffResource(Snapshots found, SnapshotStore snapshots, Differences differences) {
    this.found = found;
    this.snapshots = snapshots;
    this.differences = differences;
  }

  public void addTo(Routes routes) {
    routes.add("diffSnapshot", this::diff);
  }

  private Answer diff(Call call) throws IOException {
    QueueName queue = call.queue();
    Snapshot from = snapshot(queue, call.part("snapshot"));
    String to = call.query("to");
    String toQueue = call.query("toQueue");
    String container = call.query("container");
    Prepared prepared;
    String other;
    if (to != null) {
      Snapshot newer = snapshot(toQueue == null ? queue : Call.queueName(toQueue), to);
      prepared = differences.between(from, newer);
      other = named(newer);
    } else {
      prepared = differences.toContainer(from, container == null ? queue.value() : container);
      other = "container " + prepared.container();
    }
    JsonObject head =
        new JsonObject()
            .with("from", named(from))
            .with("to", other)
            .with("running", prepared.running())
            .with("notes", prepared.notes());
    return new Answer.Stream("application/jsonl", out -> write(head, prepared, out));
  }

  private Snapshot snapshot(QueueName queue, String address) throws IOException {
    return snapshots.read(found.require(Action.DIFF, queue, address).id());
  }

  private static String named(Snapshot snapshot) {
    return snapshot.queue() + "@" + snapshot.id().shortened();
  }

  private static void write(JsonObject head, Prepared prepared, OutputStream stream)
      throws IOException {
    BufferedOutputStream out = new BufferedOutputStream(stream, 64 << 10);
    line(out, head);
    out.flush();
    long[] changes = new long[1];
    JsonObject last;
    try {
      prepared
          .work()
          .run(change -> {
            changes[0]++;
            line(out, json(change));
          });
      last = new JsonObject().with("changes", changes[0]);
    } catch (IOException | RuntimeException e) {
      Failure failure = Failure.of(e);
      last =
          new JsonObject()
              .with(
                  "failed",
                  new JsonObject()
                      .with("code", failure.code().word())
                      .with("message", failure.message()));
    }
    line(out, last);
    out.flush();
  }

  private static JsonObject json(Change change) {
    return new JsonObject()
        .with("kind", String.valueOf(change.kind().letter()))
        .with("path", ShownPath.of(change.path()))
        .with("what", change.what().stream().sorted().map(QueueViews::word).toList())
        .with("type", change.type() == null ? null : QueueViews.word(change.type()));
  }

  private static void line(OutputStream out, JsonObject json) throws IOException {
    out.write(json.bytes());
    out.write('\n');
  }
}
