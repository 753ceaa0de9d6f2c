package dev.regen.agent.storage;

import java.io.IOException;

/** A request that ends with this status, and says why. */
final class StatusException extends IOException {
  private static final long serialVersionUID = 1;

  private final int status;

  StatusException(int status, String detail) {
    super(detail);
    this.status = status;
  }

  int status() {
    return status;
  }
}
