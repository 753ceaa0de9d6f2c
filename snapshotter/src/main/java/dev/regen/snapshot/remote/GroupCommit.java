package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Many forces at the price of few: who comes while one runs waits for the next, together with all
 * others who have come by then.
 */
final class GroupCommit {
  /** Makes everything last that was written before it was called. */
  @FunctionalInterface
  interface Force {
    void run() throws IOException;
  }

  private static final class Round {
    private boolean done;
    private @Nullable Exception failure;
  }

  private final Force force;
  private final ReentrantLock running = new ReentrantLock();
  private volatile Round next = new Round();

  GroupCommit(Force force) {
    this.force = force;
  }

  /**
   * Returns once everything that this thread wrote before is forced.
   *
   * @throws IOException if the force failed that was to do it; then for all who waited for it
   */
  void commit() throws IOException {
    Round mine = next;
    running.lock();
    try {
      if (!mine.done) {
        // Who comes from here on may have written too late for this force.
        next = new Round();
        run(mine);
      }
    } finally {
      running.unlock();
    }
    if (mine.failure != null) {
      throw new IOException(Why.of(mine.failure), mine.failure);
    }
  }

  private void run(Round round) {
    try {
      force.run();
    } catch (IOException | RuntimeException e) {
      round.failure = e;
    }
    round.done = true;
  }
}
