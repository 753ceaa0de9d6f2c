package dev.regen.agent.http;

import dev.regen.agent.jobs.Pending;
import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;

/** {@code /v1/queues} and what belongs to a queue as a whole. */
public final class QueueResource {
  private final QueueViews views;
  private final Captures captures;

  public QueueResource(
      SnapshotQueues queues, SnapshotStore snapshots, Pending pending, Captures captures) {
    this.views = new QueueViews(queues, snapshots, pending);
    this.captures = captures;
  }

  public void addTo(Routes routes) {
    routes
        .add("GET", "/v1/queues", _ -> Answer.ok(views.queues()))
        .add("GET", "/v1/queues/{queue}", call -> Answer.ok(views.queue(call.queue())))
        .add(
            "GET", "/v1/queues/{queue}/snapshots", call -> Answer.ok(views.snapshots(call.queue())))
        .add("PUT", "/v1/queues/{queue}/keep", this::keep);
  }

  private Answer keep(Call call) throws IOException {
    QueueName name = call.queue();
    long keep = call.json().numberOr("keep", 0);
    if (keep < 1 || keep > QueueContent.KEEP_MAX) {
      throw new RegenException.BadInput(
          "a queue's length is 1 to " + QueueContent.KEEP_MAX + ", not " + keep);
    }
    captures.keep(name, (int) keep);
    return Answer.ok(views.queue(name));
  }
}
