package dev.regen.runtime.oci;

import java.io.IOException;

/**
 * A label {@code regen.*} that holds what it must not. The container does not start, whatever else
 * its labels say: whoever wrote them is there to mend them, and would learn too late that nothing
 * was kept.
 */
final class BadLabelException extends IOException {
  private static final long serialVersionUID = 1;

  /** {@code message} names the label and what is wrong. */
  BadLabelException(String message) {
    super(message);
  }
}
