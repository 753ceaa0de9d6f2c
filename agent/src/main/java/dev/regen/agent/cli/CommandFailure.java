package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;

/** Ends a command with one line on standard error and the exit code of its kind of failure. */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final Failure.Code code;

  CommandFailure(Failure.Code code, String message) {
    super(message, null, false, false);
    this.code = code;
  }

  Failure.Code code() {
    return code;
  }
}
