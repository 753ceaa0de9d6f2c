package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Pending;
import dev.regen.agent.rules.Action;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.Removals;
import dev.regen.snapshot.queue.QueueContent;
import java.io.IOException;

/** {@code /v1/queues} and what belongs to a queue as a whole. */
public final class QueueResource {
  private final QueueViews views;
  private final Pending pending;
  private final Removals removals;
  private final KnownContainers containers;

  public QueueResource(
      QueueViews views, Pending pending, Removals removals, KnownContainers containers) {
    this.views = views;
    this.pending = pending;
    this.removals = removals;
    this.containers = containers;
  }

  public void addTo(Routes routes) {
    routes
        .add("listQueues", call -> Answer.ok(views.queues(call)))
        .add("getQueue", call -> Answer.ok(views.queue(call.queue())))
        .add("listSnapshots", call -> Answer.ok(views.snapshots(call.queue(), call)))
        .add("setKeep", this::keep)
        .add("removeQueue", this::remove);
  }

  private Answer remove(Call call) throws IOException {
    QueueName name = call.queue();
    if (!views.actions(name).contains(Action.REMOVE)) {
      requireUnused(name);
    }
    removals.remove(name); // Pinned snapshots keep it, and it says which, under its lock.
    return Answer.ok(new JsonObject().with("removed", name.value()));
  }

  /** A queue that a container is using, or whose last state is not archived yet, stays. */
  private void requireUnused(QueueName name) throws IOException {
    for (KnownContainers.Known container : containers.list()) {
      if (container.running() && container.queue().equals(name)) {
        throw new RegenException.Refused(
            "queue '" + name + "' is in use by container " + container.name() + "; stop it first");
      }
    }
    if (pending.pending().stream().anyMatch(layer -> layer.layer().queue().equals(name))) {
      throw new RegenException.Refused(
          "the last state of queue '" + name + "' is still being archived; try again");
    }
  }

  private Answer keep(Call call) throws IOException {
    QueueName name = call.queue();
    long keep = call.json().numberOr("keep", 0);
    if (keep < 1 || keep > QueueContent.KEEP_MAX) {
      throw new RegenException.BadInput(
          "a queue's length is 1 to " + QueueContent.KEEP_MAX + ", not " + keep);
    }
    removals.keep(name, (int) keep);
    return Answer.ok(views.queue(name));
  }
}
