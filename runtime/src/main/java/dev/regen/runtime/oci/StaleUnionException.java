package dev.regen.runtime.oci;

import java.io.IOException;

/**
 * A root's upper was changed under a union that only the engine can mount afresh. The container
 * does not start, whatever its labels say: it would see neither the one state nor the other. Its
 * engine takes the union off when the start fails, so that the next one is as any other.
 */
final class StaleUnionException extends IOException {
  private static final long serialVersionUID = 1;

  /** {@code why} says what was changed. */
  StaleUnionException(String why) {
    super("fuse-overlayfs still shows its layer as it was before " + why + "; run it again");
  }
}
