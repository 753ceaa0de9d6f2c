package dev.regen.agent.node;

import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import org.jspecify.annotations.Nullable;

/** Tells of jobs: those that the manager asked for, and those that were begun here. */
final class NodeJobs {
  /** Who asks on behalf of somebody at the manager; no token of the agent's has such a name. */
  static final String CALLER = "manager:";

  private static final int JOB_BYTES_MAX = 64 << 10;
  private static final String KEY = "fleet:";

  private final Jobs jobs;
  private final Outbox outbox;

  NodeJobs(Jobs jobs, Outbox outbox) {
    this.jobs = jobs;
    this.outbox = outbox;
  }

  /** By what a job of the fleet is known again. */
  static String key(String fleetJob) {
    return KEY + fleetJob;
  }

  /** The job that was begun for one of the fleet, null for none. */
  @Nullable Job find(String fleetJob) {
    for (Job job : jobs.list()) {
      if (fleetJob.equals(fleetJob(job.json()))) {
        return job;
      }
    }
    return null;
  }

  /** Tells how a job is now; quick. */
  void tell(JsonObject job) {
    try {
      String id = job.string("id");
      String state = job.string("state");
      String fleetJob = fleetJob(job);
      boolean ended = state.equals("success") || state.equals("failed");
      outbox.put(
          "job " + id + " " + state,
          new JsonObject()
              .with("kind", "job")
              .with("id", fleetJob)
              .with("nodeJob", id)
              .with("revision", job.number("revision"))
              .with("job", shortened(job)),
          () -> {
            if (ended && fleetJob != null) {
              jobs.acknowledge(id);
            }
          });
      if (ended) {
        String subject = job.string("subject");
        int at = subject.indexOf('@');
        outbox.queue(at < 0 ? subject : subject.substring(0, at));
      }
    } catch (java.io.IOException e) {
      throw new IllegalStateException("a job has members that it always has", e);
    }
  }

  /** A result that is long would not fit into a report; the manager keeps none of that length. */
  private static JsonObject shortened(JsonObject job) {
    if (job.bytes().length <= JOB_BYTES_MAX) {
      return job;
    }
    JsonObject shortened = new JsonObject();
    job.members().forEach(shortened::with);
    return shortened.with("result", new JsonObject().with("tooLong", true));
  }

  /** Tells of all there are. */
  void tellAll() {
    jobs.list().forEach(job -> tell(job.json()));
  }

  /** Ends a job that nobody wants any more. */
  void cancel(Job job) throws RegenException {
    jobs.cancel(job.id());
  }

  /** The fleet's name of a job, null if it was begun here. */
  private static @Nullable String fleetJob(JsonObject job) {
    return job.members().get("idempotencyKey") instanceof String key
            && key.startsWith(KEY)
            && job.members().get("askedBy") instanceof String by
            && by.startsWith(CALLER)
        ? key.substring(KEY.length())
        : null;
  }
}
