package dev.regen.agent.observe;

import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.Pending;
import dev.regen.agent.jobs.PendingLayer;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What stands how it stands in an agent at the moment that somebody asks. */
public final class AgentGauges {
  private static final double MILLIS = 1e3;

  private final Exposition to;
  private final InstantSource clock;

  public AgentGauges(Exposition to, InstantSource clock) {
    this.to = to;
    this.clock = clock;
  }

  public AgentGauges jobs(Jobs jobs) {
    to.gauge(
        "regen_jobs",
        "Operations that have not ended, by state.",
        told -> {
          List<Job> all = jobs.list();
          for (Job.State state : List.of(Job.State.WAITING, Job.State.RUNNING)) {
            told.call(
                (double) all.stream().filter(job -> job.state() == state).count(), state.word());
          }
        },
        "state");
    to.gauge(
        "regen_job_batch_size",
        "So many operations are begun in an interval; fewer after some failed for want of capacity.",
        jobs::batchSize);
    return this;
  }

  /** The spool: ends of containers that are not in their queue yet. */
  public AgentGauges spool(Pending spool) {
    to.gauge(
        "regen_spool_layers",
        "Ends of containers that are not archived yet, by state.",
        told -> {
          List<PendingLayer> all = spool.pending();
          for (PendingLayer.State state : PendingLayer.State.values()) {
            told.call(
                (double) all.stream().filter(layer -> layer.state() == state).count(),
                state.name().toLowerCase(java.util.Locale.ROOT));
          }
        },
        "state");
    to.gauge(
        "regen_spool_oldest_seconds",
        "So long ago the oldest of these ended; 0 if there is none.",
        () -> oldest(spool));
    return this;
  }

  private double oldest(Pending spool) throws IOException {
    Instant now = clock.instant();
    return spool.pending().stream()
        .mapToDouble(layer -> Duration.between(layer.layer().endedAt(), now).toMillis() / MILLIS)
        .max()
        .orElse(0);
  }

  public AgentGauges engine(BooleanSupplier connected) {
    to.gauge(
        "regen_engine_up", "Whether the engine answers.", () -> connected.getAsBoolean() ? 1 : 0);
    return this;
  }

  public AgentGauges home(Path home, SnapshotQueues queues) {
    to.gauge("regen_queues", "Queues of snapshots.", () -> queues.list().size());
    to.gauge(
        "regen_home_free_bytes",
        "Room on the file system of the agent's home.",
        () -> Files.getFileStore(home).getUsableSpace());
    to.gauge(
        "regen_home_size_bytes",
        "Size of that file system.",
        () -> {
          FileStore store = Files.getFileStore(home);
          return store.getTotalSpace();
        });
    return this;
  }
}
