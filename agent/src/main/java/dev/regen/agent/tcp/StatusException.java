package dev.regen.agent.tcp;

import java.io.IOException;

/** A request that ends with this status, and says why. */
public final class StatusException extends IOException {
  private static final long serialVersionUID = 1;

  private final int status;

  public StatusException(int status, String detail) {
    super(detail);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
