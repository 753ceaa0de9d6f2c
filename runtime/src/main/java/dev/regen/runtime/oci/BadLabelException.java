package dev.regen.runtime.oci;

import java.io.IOException;

/** A label {@code regen.*} that holds what it must not. */
final class BadLabelException extends IOException {
  private static final long serialVersionUID = 1;

  private final ContainerSettings.OnFailure onFailure;

  /**
   * @param message names the label and what is wrong
   * @param onFailure what the container's labels ask for in such a case
   */
  BadLabelException(String message, ContainerSettings.OnFailure onFailure) {
    super(message);
    this.onFailure = onFailure;
  }

  ContainerSettings.OnFailure onFailure() {
    return onFailure;
  }
}
