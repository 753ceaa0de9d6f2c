package dev.regen.runtime.oci;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What snapshots hold already of a container's upper, as the end of a run sees it. Implemented by
 * the snapshotter; the runtime extension knows nothing of snapshots.
 */
@FunctionalInterface
public interface KnownFiles {
  /** Nothing is known of any file. */
  KnownFiles NONE = (layer, upper, into, limit) -> false;

  /**
   * Sets aside those files of {@code upper} that no snapshot of the layer's queue holds, as hard
   * links in {@code into}, which must not exist, and remembers for the layer's job which snapshot
   * holds the others. Nothing may run on {@code upper}.
   *
   * @param layer of kind {@code LISTED}
   * @return false if nothing is known, or the time was not enough: then all files have to be
   *     linked, and {@code into}, if it is there, is of no use
   */
  boolean freeze(FrozenLayer layer, Path upper, Path into, Duration limit) throws IOException;
}
