package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.Pace;
import dev.regen.snapshot.remote.TimedOut;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls with an end: whatever the other side does, each ends after its time. A call runs in a
 * virtual thread, whose interruption closes the socket that it waits for; after its end nothing
 * reads the caller's bytes any more.
 */
final class Timed {
  private static final int SLOWEST_BYTES_PER_SECOND = 64 << 10;
  private static final Duration END_LIMIT = Duration.ofSeconds(5);

  private final String place;
  private final Duration patience;
  private final Pace pace;

  /**
   * @param place for messages
   * @param patience the most a call may take, on top of the time its bytes need at 64 KiB/s
   * @param pace how many calls at once; others wait, and so does the time of each
   */
  Timed(String place, Duration patience, Pace pace) {
    this.place = place;
    this.patience = patience;
    this.pace = pace;
  }

  /**
   * @throws IOException what the call threw, or that its time was up
   */
  <T> T call(long bytes, Callable<T> call) throws IOException {
    long millis = patience.toMillis() + bytes * 1000 / SLOWEST_BYTES_PER_SECOND;
    try {
      Pace.Turn turn = pace.begin();
      boolean told = false;
      try {
        T answer = run(millis, call);
        told = true;
        pace.answered(turn, bytes);
        return answer;
      } catch (TimedOut | Failures.Overloaded e) {
        told = true;
        pace.overloaded(turn);
        throw e;
      } finally {
        if (!told) {
          pace.failed();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted = new InterruptedIOException("interrupted");
      interrupted.initCause(e);
      throw interrupted;
    }
  }

  private <T> T run(long millis, Callable<T> call) throws IOException, InterruptedException {
    FutureTask<T> task = new FutureTask<>(call);
    Thread thread = Thread.ofVirtual().start(task);
    try {
      return task.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      end(thread);
      throw new TimedOut(place + " has not answered within " + millis + " ms", e);
    } catch (InterruptedException e) {
      end(thread);
      throw e;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static void end(Thread thread) {
    boolean interrupted = false;
    long deadline = System.nanoTime() + END_LIMIT.toNanos();
    thread.interrupt();
    while (thread.isAlive() && System.nanoTime() < deadline) {
      try {
        thread.join(END_LIMIT);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
