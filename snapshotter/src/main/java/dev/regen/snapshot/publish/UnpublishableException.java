package dev.regen.snapshot.publish;

import java.io.IOException;

/**
 * Why a snapshot cannot be published: what, why and what to do, and nothing of where a store is.
 */
public final class UnpublishableException extends IOException {
  private static final long serialVersionUID = 1;

  /** What kind of reason it is. */
  public enum Reason {
    /** It, or what it lies on, is not in the store. */
    NOT_THERE,
    /** It cannot become such an image in the state that it is in. */
    REFUSED
  }

  private final Reason reason;

  UnpublishableException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
