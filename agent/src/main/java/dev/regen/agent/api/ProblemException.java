package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A request has failed with what {@link Failure} says: a job that it waited for, or its own. */
public final class ProblemException extends IOException {
  private static final long serialVersionUID = 1;
  private final transient Failure failure;
  private final @Nullable Duration retryAfter;

  public ProblemException(Failure failure) {
    this(failure, null);
  }

  public ProblemException(Failure.Code code, String message) {
    this(new Failure(code, message), null);
  }

  private ProblemException(Failure failure, @Nullable Duration retryAfter) {
    super(failure.message());
    this.failure = failure;
    this.retryAfter = retryAfter;
  }

  static ProblemException tooMany(String message, Duration retryAfter) {
    return new ProblemException(new Failure(Failure.Code.TOO_MANY_REQUESTS, message), retryAfter);
  }

  /** What a caller is told of any exception. */
  static Failure failure(Throwable cause) {
    return cause instanceof ProblemException problem ? problem.failure() : Failure.of(cause);
  }

  public Failure failure() {
    return failure;
  }

  /** When it may be tried again; null for nothing known of that. */
  @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
