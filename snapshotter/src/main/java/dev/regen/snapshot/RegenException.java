package dev.regen.snapshot;

import java.io.IOException;

/**
 * A failure that a user can understand: what happened, what it means for their data, what to do.
 *
 * <p>Mapped to an exit code and an HTTP status in one place each.
 */
public abstract sealed class RegenException extends IOException {
  private static final long serialVersionUID = 1;

  private RegenException(String message) {
    super(message);
  }

  /** Whether the same call may succeed later without anyone changing anything. */
  public abstract boolean retryable();

  /** No such queue or snapshot. */
  public static final class NotFound extends RegenException {
    private static final long serialVersionUID = 1;

    public NotFound(String message) {
      super(message);
    }

    @Override
    public boolean retryable() {
      return false;
    }
  }

  /** Not now, or not in this state. */
  public static final class Refused extends RegenException {
    private static final long serialVersionUID = 1;

    public Refused(String message) {
      super(message);
    }

    @Override
    public boolean retryable() {
      return true;
    }
  }

  /** What was given is wrong: an archive, a file, a request. */
  public static final class BadInput extends RegenException {
    private static final long serialVersionUID = 1;

    public BadInput(String message) {
      super(message);
    }

    @Override
    public boolean retryable() {
      return false;
    }
  }

  /** What was asked cannot be read: an address, the URL of a store, a name. */
  public static final class Misuse extends RegenException {
    private static final long serialVersionUID = 1;

    public Misuse(String message) {
      super(message);
    }

    @Override
    public boolean retryable() {
      return false;
    }
  }

  /** What is stored is damaged: a chunk, a manifest, a queue. */
  public static final class Damaged extends RegenException {
    private static final long serialVersionUID = 1;

    public Damaged(String message) {
      super(message);
    }

    @Override
    public boolean retryable() {
      return false;
    }
  }
}
