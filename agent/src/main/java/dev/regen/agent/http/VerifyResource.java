package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Checks;
import dev.regen.snapshot.capture.Verified;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code /v1/verify}: reads everything, as a job; mends what it can if it is asked to. */
public final class VerifyResource {
  private final Checks checks;
  private final SnapshotQueues queues;
  private final Stores stores;
  private final Jobs jobs;
  private final Events events;

  public VerifyResource(
      Checks checks, SnapshotQueues queues, Stores stores, Jobs jobs, Events events) {
    this.checks = checks;
    this.queues = queues;
    this.stores = stores;
    this.jobs = jobs;
    this.events = events;
  }

  public void addTo(Routes routes) {
    routes.add("verify", this::verify);
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
                  Verified first = checks.verify(queue);
                  List<String> repaired = repair ? repair(first, job) : List.of();
                  return json(repair ? checks.verify(queue) : first, queue, repaired);
                })
            .json());
  }

  private List<String> repair(Verified found, Job job) throws IOException {
    job.step("mending");
    List<String> done = checks.repair(found, this::unpacked, job, job::cancelled);
    for (String one : done) {
      events.tell(Event.Kind.REPAIRED, null, one);
    }
    return done;
  }

  /** Where a snapshot lies unpacked on this host, ready for its next run. */
  private List<Path> unpacked(SnapshotId id) throws IOException {
    List<Path> trees = new ArrayList<>();
    for (Staging staging : stores.all()) {
      Path tree = staging.hot(id.value());
      if (Fd.statIfThere(tree) != null) {
        trees.add(tree);
      }
    }
    return trees;
  }

  private JsonObject json(Verified found, @Nullable QueueName queue, List<String> repaired)
      throws IOException {
    List<String> damaged = new ArrayList<>();
    List<String> locked = new ArrayList<>();
    for (Verified.Problem problem : found.problems()) {
      List<String> kind = problem.kind() == Verified.Kind.LOCKED ? locked : damaged;
      kind.add(
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
        .with("locked", locked)
        .with("repaired", repaired)
        .with("unreferencedManifests", found.unreferencedManifests())
        .with("unreferencedChunks", found.unreferencedChunks());
  }
}
