package dev.regen.agent.jobs;

import dev.regen.runtime.oci.FrozenLayer;
import org.jspecify.annotations.Nullable;

/**
 * A layer in the spool: an end whose snapshot is not in its queue yet.
 *
 * @param message why it failed, null unless it did; it is tried again all the same
 */
public record PendingLayer(FrozenLayer layer, State state, @Nullable String message) {
  /** Where it is on its way. */
  public enum State {
    WAITING,
    ARCHIVING,
    /** At least once; also while it is tried again. */
    FAILED
  }
}
