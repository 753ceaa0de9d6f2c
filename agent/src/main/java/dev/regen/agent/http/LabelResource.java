package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.node.Node;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;

/** {@code /v1/queues/QUEUE/labels}: what somebody says of a queue, here or at a manager. */
public final class LabelResource {
  private final SnapshotQueues queues;
  private final Node node;

  public LabelResource(SnapshotQueues queues, Node node) {
    this.queues = queues;
    this.node = node;
  }

  public void addTo(Routes routes) {
    routes.add("listLabels", call -> labels(there(call))).add("setLabel", this::set);
  }

  private Answer set(Call call) throws IOException {
    QueueName queue = there(call);
    String name = call.json().string("name");
    String value = call.json().stringOrNull("value");
    node.label(queue, name, value == null ? "" : value, call.caller().name());
    return labels(queue);
  }

  private Answer labels(QueueName queue) {
    return Answer.ok(new JsonObject().with("labels", node.labels(queue)));
  }

  private QueueName there(Call call) throws IOException {
    QueueName queue = call.queue();
    if (!queues.exists(queue)) {
      throw new RegenException.NotFound(
          "no queue '" + queue + "'; 'regen ls' lists the queues of this host");
    }
    return queue;
  }
}
