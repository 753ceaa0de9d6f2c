package dev.regen.agent.http;

import dev.regen.agent.jobs.Pending;
import dev.regen.runtime.QueueName;
import dev.regen.snapshot.capture.Removals;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.time.ZoneId;

/** {@code /v1/queues/QUEUE/snapshots/S}. */
public final class SnapshotResource {
  private static final String PATH = "/v1/queues/{queue}/snapshots/{snapshot}";

  private final SnapshotQueues queues;
  private final QueueViews views;
  private final Removals removals;

  public SnapshotResource(
      SnapshotQueues queues, SnapshotStore snapshots, Pending pending, Removals removals) {
    this.queues = queues;
    this.views = new QueueViews(queues, snapshots, pending);
    this.removals = removals;
  }

  public void addTo(Routes routes) {
    routes
        .add("GET", PATH, this::show)
        .add("DELETE", PATH, this::remove)
        .add("POST", PATH + "/pin", call -> pin(call, true))
        .add("POST", PATH + "/unpin", call -> pin(call, false));
  }

  private Answer show(Call call) throws IOException {
    QueueContent content = queues.look(call.queue());
    Element element = content.find(call.part("snapshot"), ZoneId.systemDefault());
    return Answer.ok(views.snapshot(element, content));
  }

  private Answer remove(Call call) throws IOException {
    QueueName name = call.queue();
    Element element = queues.look(name).find(call.part("snapshot"), ZoneId.systemDefault());
    removals.remove(name, element.id());
    return Answer.ok(views.queue(name));
  }

  private Answer pin(Call call, boolean pinned) throws IOException {
    try (SnapshotQueue queue = queues.open(call.queue())) {
      Element element = queue.find(call.part("snapshot"));
      if (pinned) {
        queue.pin(element.id());
      } else {
        queue.unpin(element.id());
      }
      QueueContent content = queue.content();
      return Answer.ok(
          views.snapshot(content.find(element.id().value(), ZoneId.systemDefault()), content));
    }
  }
}
