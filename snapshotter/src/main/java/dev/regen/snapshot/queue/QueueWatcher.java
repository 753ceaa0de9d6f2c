package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import org.jspecify.annotations.Nullable;

/**
 * Hears of every change of a queue. Whoever makes it has the queue locked meanwhile, so this waits
 * for nobody and does not fail.
 */
@FunctionalInterface
public interface QueueWatcher {
  /**
   * A queue has changed, and that lasts.
   *
   * @param before null if the queue is new, or could not be read
   * @param after null if it is gone
   */
  void changed(QueueName queue, @Nullable QueueContent before, @Nullable QueueContent after);

  /**
   * What is in a queue is about to become something else: {@link #changed} follows, unless that
   * fails or the process dies.
   *
   * @param after null if the queue is to go
   */
  default void changing(QueueName queue, QueueContent before, @Nullable QueueContent after) {}
}
