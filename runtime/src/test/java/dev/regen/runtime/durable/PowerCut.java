package dev.regen.runtime.durable;

import java.io.IOException;

/** The power is off: this operation did not come back, and none will any more. */
public final class PowerCut extends IOException {
  private static final long serialVersionUID = 1;

  PowerCut(long operation) {
    super("the power was cut at operation " + operation);
  }
}
