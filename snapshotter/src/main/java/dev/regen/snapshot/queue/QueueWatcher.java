package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import org.jspecify.annotations.Nullable;

/** Hears of every change of a queue, once it lasts. */
@FunctionalInterface
public interface QueueWatcher {
  /**
   * A queue has changed. Whoever changed it still has it locked, so this waits for nothing and does
   * not fail.
   *
   * @param before null if the queue is new, or could not be read
   * @param after null if it is gone
   */
  void changed(QueueName queue, @Nullable QueueContent before, @Nullable QueueContent after);
}
