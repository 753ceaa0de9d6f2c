package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What becomes, at the start of an agent, of the jobs that the one before had. */
final class KeptJobs {
  /** What is sent is not sent again: these go on where they were. */
  private static final Set<String> GO_ON =
      Set.of("pushQueue", "pullQueue", "pushImage", "pullImage");

  /** More often than that the work itself may be what ends the agent. */
  private static final int ATTEMPTS_MAX = 3;

  private final List<Job> all = new ArrayList<>();
  private final List<Job> again = new ArrayList<>();
  private final JobLog log;
  private final Duration deadline;

  KeptJobs(JobLog log, Duration deadline, Instant now, Consumer<String> trouble) {
    this.log = log;
    this.deadline = deadline;
    for (JsonObject record : log.jobs()) {
      try {
        add(Job.of(record), now);
      } catch (IOException | RuntimeException e) {
        log.forget(String.valueOf(record.members().get("id")));
        trouble.accept("a job of the agent before cannot be read: " + e.getMessage());
      }
    }
  }

  /** All of them, those that cannot be done any more having failed. */
  List<Job> all() {
    return List.copyOf(all);
  }

  /** Those that can be done as if nothing had happened; they wait. */
  List<Job> again() {
    return List.copyOf(again);
  }

  private void add(Job job, Instant now) {
    all.add(job);
    switch (job.state()) {
      case SUCCESS, FAILED -> {}
      case WAITING -> waiting(job, now);
      case RUNNING -> running(job, now);
    }
  }

  private void waiting(Job job, Instant now) {
    if (job.cancelled()) {
      fail(job, Failure.Code.CANCELLED, "cancelled", now);
    } else if (job.attempt() == 0 && !now.isBefore(job.askedAt().plus(deadline))) {
      fail(
          job,
          Failure.Code.NOT_STARTED,
          "the agent ended before this was begun, and was back too late; nothing was changed: ask"
              + " again",
          now);
    } else if (job.asked().request() == null) {
      fail(
          job,
          Failure.Code.NOT_STARTED,
          "the agent ended before this was begun; nothing was changed: ask again",
          now);
    } else {
      again.add(job);
    }
  }

  private void running(Job job, Instant now) {
    JsonObject request = job.asked().request();
    boolean goesOn =
        request != null
            && request.members().get("operation") instanceof String operation
            && GO_ON.contains(operation)
            && job.attempt() < ATTEMPTS_MAX;
    if (job.cancelled()) {
      fail(job, Failure.Code.CANCELLED, "cancelled; " + Interrupted.words(job.kind()), now);
    } else if (goesOn) {
      job.waitAgain();
      log.later(job.record());
      again.add(job);
    } else {
      fail(job, Failure.Code.INTERRUPTED, Interrupted.words(job.kind()), now);
    }
  }

  private void fail(Job job, Failure.Code code, String message, Instant now) {
    job.failed(new Failure(code, message), now);
    log.later(job.record());
  }
}
