package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import java.time.Duration;

/**
 * Layers in the spool, seen by a container that is about to start: nothing may run on files that
 * are still being read.
 */
public interface PendingLayers {
  /**
   * Waits until no layer of {@code queue} waits to be archived.
   *
   * @return false if {@code limit} was not enough, and at once if the next one has just failed and
   *     is left alone until it is tried again
   */
  boolean awaitArchived(QueueName queue, Duration limit) throws InterruptedException;

  /**
   * Stops the archiving of the layers of {@code queue}.
   *
   * @return true if nobody reads their trees any more, and nobody will begin to before their job is
   *     gone from the spool or the agent has been told again
   */
  boolean takeOver(QueueName queue, Duration limit) throws InterruptedException;
}
