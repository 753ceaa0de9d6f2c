package dev.regen.runtime.docker;

import java.io.IOException;

/** The engine did not do what it was asked. */
public abstract sealed class EngineException extends IOException {
  private static final long serialVersionUID = 1;

  private EngineException(String message) {
    super(message);
  }

  /** Nobody answers on the engine's socket, or the answer broke off. */
  public static final class Away extends EngineException {
    private static final long serialVersionUID = 1;

    Away(String message) {
      super(message);
    }

    Away(String message, Throwable cause) {
      super(message);
      initCause(cause);
    }
  }

  /** The engine answered with an error; it changed nothing that it did not say. */
  public static final class Refused extends EngineException {
    private static final long serialVersionUID = 1;
    private final int status;

    Refused(int status, String message) {
      super(message);
      this.status = status;
    }

    /** The HTTP status of the engine's answer. */
    public int status() {
      return status;
    }
  }
}
