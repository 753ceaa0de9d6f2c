package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.io.IOException;

/** A request has failed with what {@link Failure} says: a job that it waited for, or its own. */
public final class ProblemException extends IOException {
  private static final long serialVersionUID = 1;
  private final transient Failure failure;

  public ProblemException(Failure failure) {
    super(failure.message());
    this.failure = failure;
  }

  public ProblemException(Failure.Code code, String message) {
    this(new Failure(code, message));
  }

  public Failure failure() {
    return failure;
  }
}
