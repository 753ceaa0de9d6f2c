package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import org.jspecify.annotations.Nullable;

/** Where hooks say what the user has to know. Never fails, never waits for anyone. */
public interface Notices {
  /** What a notice is about. */
  enum Kind {
    /** A run starts from a snapshot. */
    REGENERATED,
    /** A run ended and its layer waits to be archived. */
    ENDED,
    /** A run starts without what its queue holds, and why. */
    STARTED_CLEAN,
    /** A run starts from a snapshot on another image than the snapshot's. */
    REBASED,
    /** A state in between is part of the next run and no snapshot of its own. */
    MERGED,
    /** A tree went back to where it came from: the run it was for never began. */
    PUT_BACK,
    /** A container was kept from starting. */
    REFUSED,
    /** Something of the container no snapshot will hold. */
    NOT_HELD,
    /** A label was given that Regen does not know. */
    UNKNOWN_LABEL,
    /** Regen could not do its part. */
    FAILED
  }

  /** Says one thing; {@code message} is one line. */
  void tell(Kind kind, @Nullable QueueName queue, String message);
}
