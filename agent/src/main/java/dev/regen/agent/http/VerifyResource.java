package dev.regen.agent.http;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.capture.Verified;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v1/verify}: reads everything, as a job; mends a queue's file if it is asked to. */
public final class VerifyResource {
  private final Captures captures;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Jobs jobs;
  private final Events events;

  public VerifyResource(
      Captures captures, SnapshotQueues queues, SnapshotStore snapshots, Jobs jobs, Events events) {
    this.captures = captures;
    this.queues = queues;
    this.snapshots = snapshots;
    this.jobs = jobs;
    this.events = events;
  }

  public void addTo(Routes routes) {
    routes.add("POST", "/v1/verify", this::verify);
  }

  private Answer verify(Call call) throws IOException {
    String text = call.query("queue");
    QueueName queue = text == null ? null : Call.queueName(text);
    boolean repair = call.flag("repair");
    if (queue != null && !queues.exists(queue)) {
      queues.look(queue);
    }
    return Answer.accepted(
        jobs.start(
                "verify",
                text == null ? "all" : text,
                job -> {
                  job.step("reading");
                  Verified first = captures.verify(queue);
                  List<String> repaired = repair ? repair(first) : List.of();
                  return json(repaired.isEmpty() ? first : captures.verify(queue), queue, repaired);
                })
            .json());
  }

  /** Only a queue's file can be made anew; chunks and manifests have no second copy here. */
  private List<String> repair(Verified found) throws IOException {
    List<String> repaired = new ArrayList<>();
    for (Verified.Problem problem : found.problems()) {
      if (problem.kind() == Verified.Kind.QUEUE_DAMAGED) {
        queues.rebuild(problem.queue(), snapshots).close();
        String message = "queue " + problem.queue() + " was made anew from its manifests";
        events.tell(Event.Kind.REPAIRED, problem.queue().value(), message);
        repaired.add(message);
      }
    }
    return repaired;
  }

  private JsonObject json(Verified found, @Nullable QueueName queue, List<String> repaired)
      throws IOException {
    List<String> damaged = new ArrayList<>();
    for (Verified.Problem problem : found.problems()) {
      damaged.add(
          problem.queue()
              + (problem.snapshot() == null ? "" : "@" + problem.snapshot().shortened())
              + ": "
              + problem.message());
    }
    return new JsonObject()
        .with("queues", queue == null ? queues.list().size() : 1)
        .with("snapshots", found.snapshots())
        .with("chunks", found.chunks())
        .with("bytes", found.bytes())
        .with("damaged", damaged)
        .with("repaired", repaired)
        .with("unreferencedManifests", found.unreferencedManifests())
        .with("unreferencedChunks", found.unreferencedChunks());
  }
}
