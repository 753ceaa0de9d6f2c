package dev.regen.agent.http;

import dev.regen.agent.jobs.Failure;
import java.io.IOException;

/** A job that a request waited for has failed; the answer is the job's failure. */
final class FailedJob extends IOException {
  private static final long serialVersionUID = 1;
  private final transient Failure failure;

  FailedJob(Failure failure) {
    super(failure.message());
    this.failure = failure;
  }

  Failure failure() {
    return failure;
  }
}
