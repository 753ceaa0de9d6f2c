package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.capture.Removals;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;
import java.time.ZoneId;
import java.util.Optional;

/** {@code /v1/queues/QUEUE/snapshots/S}. */
public final class SnapshotResource {
  private static final long END_MILLIS_MAX = 10_000;

  private final Snapshots found;
  private final SnapshotQueues queues;
  private final QueueViews views;
  private final Removals removals;
  private final Arrivals arrivals;
  private final Jobs jobs;

  public SnapshotResource(
      Snapshots found,
      SnapshotQueues queues,
      QueueViews views,
      Removals removals,
      Arrivals arrivals,
      Jobs jobs) {
    this.found = found;
    this.queues = queues;
    this.views = views;
    this.removals = removals;
    this.arrivals = arrivals;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("getSnapshot", this::show)
        .add("removeSnapshot", this::remove)
        .add("cancelUpload", this::cancel)
        .add("pinSnapshot", call -> pin(call, true))
        .add("unpinSnapshot", call -> pin(call, false));
  }

  private Answer show(Call call) throws IOException {
    QueueName name = call.queue();
    Optional<Snapshot> uploading = found.uploading(name, call.part("snapshot"));
    if (uploading.isPresent()) {
      return Answer.ok(views.uploading(uploading.get()));
    }
    Element element = found.require(Action.SHOW, name, call.part("snapshot"));
    JsonObject json = views.snapshot(element, queues.look(name));
    if (!call.caller().role().includes(Role.OPERATE)) {
      json.members().remove("spec"); // Environment variables hold passwords.
    }
    return Answer.ok(json);
  }

  private Answer remove(Call call) throws IOException {
    QueueName name = call.queue();
    Element element = found.require(Action.REMOVE, name, call.part("snapshot"));
    removals.remove(name, element.id());
    return Answer.ok(views.queue(name));
  }

  /** Ends what fetches it; what has arrived goes, unless others need it. */
  private Answer cancel(Call call) throws IOException, InterruptedException {
    QueueName name = call.queue();
    Optional<Snapshot> uploading = found.uploading(name, call.part("snapshot"));
    if (uploading.isEmpty()) {
      Element there = found.require(Action.CANCEL, name, call.part("snapshot"));
      throw new IllegalStateException("what is here cannot be cancelled: " + there);
    }
    Snapshot snapshot = uploading.get();
    for (Job job : jobs.list()) {
      if (job.fetches(name)) {
        jobs.cancel(job.id()).awaitEnd(END_MILLIS_MAX);
        if (job.fetches(name)) {
          throw new RegenException.Refused(
              "job " + job.id() + " is told to end and has not yet; try again");
        }
      }
    }
    if (queues.exists(name) && queues.look(name).element(snapshot.id()).isPresent()) {
      throw new RegenException.Refused(
          snapshot.words() + " has arrived before it could be cancelled; nothing is removed");
    }
    arrivals.giveUp(snapshot.id());
    return Answer.ok(new JsonObject().with("cancelled", snapshot.id().value()));
  }

  private Answer pin(Call call, boolean pinned) throws IOException {
    Element element =
        found.require(pinned ? Action.PIN : Action.UNPIN, call.queue(), call.part("snapshot"));
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
