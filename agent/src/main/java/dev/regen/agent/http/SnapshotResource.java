package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Pending;
import dev.regen.runtime.QueueName;
import dev.regen.snapshot.capture.Arrivals;
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
  private final SnapshotQueues queues;
  private final QueueViews views;
  private final Removals removals;
  private final Arrivals arrivals;

  public SnapshotResource(
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Pending pending,
      Removals removals,
      Arrivals arrivals) {
    this.queues = queues;
    this.views = new QueueViews(queues, snapshots, pending, arrivals);
    this.removals = removals;
    this.arrivals = arrivals;
  }

  public void addTo(Routes routes) {
    routes
        .add("getSnapshot", this::show)
        .add("removeSnapshot", this::remove)
        .add("pinSnapshot", call -> pin(call, true))
        .add("unpinSnapshot", call -> pin(call, false));
  }

  private Answer show(Call call) throws IOException {
    Element element = arrivals.find(call.queue(), call.part("snapshot"));
    return Answer.ok(views.snapshot(element, queues.look(call.queue())));
  }

  private Answer remove(Call call) throws IOException {
    QueueName name = call.queue();
    Element element = arrivals.find(name, call.part("snapshot"));
    removals.remove(name, element.id());
    return Answer.ok(views.queue(name));
  }

  private Answer pin(Call call, boolean pinned) throws IOException {
    Element element = arrivals.find(call.queue(), call.part("snapshot"));
    try (SnapshotQueue queue = queues.open(call.queue())) {
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
