package dev.regen.snapshot.remote;

import java.io.IOException;
import java.io.InterruptedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Lets callers that come at the same time share one force. Whoever comes while one runs is served
 * by the next, together with all that came meanwhile: what they wrote may have come too late for
 * the one that runs.
 */
final class ForcedTogether {
  private final Force force;
  private Round next = new Round();
  private boolean running;

  ForcedTogether(Force force) {
    this.force = force;
  }

  /** What makes everything that was written before it began last. */
  @FunctionalInterface
  interface Force {
    void run() throws IOException;
  }

  /** One force and all whom it serves; guarded by the object around it. */
  private static final class Round {
    private boolean ended;
    private @Nullable Exception failure;
  }

  /**
   * Returns when a force that began after this call has ended.
   *
   * @throws IOException if that force failed, whoever ran it; nothing is promised then
   */
  void force() throws IOException {
    Round mine;
    synchronized (this) {
      mine = next;
      awaitTurn(mine);
      if (!mine.ended) {
        running = true;
        next = new Round();
      }
    }
    if (!mine.ended) {
      run(mine);
    }
    if (mine.failure != null) {
      throw new IOException("chunks could not be forced", mine.failure);
    }
  }

  private void run(Round mine) {
    Exception failure = new IllegalStateException("the force ended without a result");
    try {
      force.run();
      failure = null;
    } catch (IOException | RuntimeException e) {
      failure = e;
    } finally {
      synchronized (this) {
        mine.failure = failure;
        mine.ended = true;
        running = false;
        notifyAll();
      }
    }
  }

  /** Waits until it has ended, or none runs. */
  private synchronized void awaitTurn(Round mine) throws InterruptedIOException {
    try {
      while (running && !mine.ended) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while chunks were forced");
    }
  }
}
