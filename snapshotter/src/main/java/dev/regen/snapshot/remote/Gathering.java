package dev.regen.snapshot.remote;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;

/**
 * What many threads want of one server at once, in few calls: one that comes while the server has
 * nothing to do goes alone and at once; those that come while it has as much to do as it bears wait
 * for a call to end, and go together. So the more there is, the less each costs.
 *
 * <p>How much goes together is found out: more while calls are quick, less when they are slow or
 * fail, for then another server may be the better one for some of it. Where a call is not answered
 * in time all that wait fail with it: each would have to wait as long in its turn.
 *
 * @param <T> what is asked for
 * @param <R> what is had for it
 */
final class Gathering<T, R> {
  /** What goes together at first, and at least; one alone may have more. */
  static final long BYTES_MIN = 16 << 10;

  private static final long QUICK_NANOS = 100_000_000L;
  private static final long SLOW_NANOS = 400_000_000L;

  private final ExecutorService threads;
  private final Pace pace;
  private final int mostItems;
  private final long mostBytes;
  private final Call<T, R> call;

  /** In order; guarded by this, as what follows. */
  private final Deque<Asked<T, R>> line = new ArrayDeque<>();

  private boolean someoneWaitsForATurn;
  private long bytesTogether;

  /** Asks the server. */
  @FunctionalInterface
  interface Call<T, R> {
    /**
     * Answers all of {@code together}, at least one; those that are not answered fail with what
     * this throws.
     *
     * @param turn is used up, whatever happens
     */
    void make(List<Asked<T, R>> together, Pace.Turn turn) throws IOException;
  }

  /** One that waits. */
  static final class Asked<T, R> {
    private final T item;
    private final long bytes;
    private final CompletableFuture<R> answer = new CompletableFuture<>();

    private Asked(T item, long bytes) {
      this.item = item;
      this.bytes = bytes;
    }

    T item() {
      return item;
    }

    void answer(R result) {
      answer.complete(result);
    }

    void fail(Exception why) {
      answer.completeExceptionally(why);
    }
  }

  /**
   * @param threads one for each call that is under way
   * @param mostItems go together
   * @param mostBytes go together, unless one alone has more
   */
  Gathering(ExecutorService threads, Pace pace, int mostItems, long mostBytes, Call<T, R> call) {
    this.threads = threads;
    this.pace = pace;
    this.mostItems = mostItems;
    this.mostBytes = mostBytes;
    this.bytesTogether = Math.min(BYTES_MIN, mostBytes);
    this.call = call;
  }

  /**
   * Asks for one, and waits for its answer.
   *
   * @throws InterruptedIOException if this thread is interrupted; a call that is under way goes on
   */
  R ask(T item, long bytes) throws IOException {
    Asked<T, R> asked = new Asked<>(item, bytes);
    synchronized (this) {
      line.add(asked);
      takeATurn();
    }
    try {
      return asked.answer.get();
    } catch (InterruptedException e) {
      synchronized (this) {
        line.remove(asked);
      }
      Thread.currentThread().interrupt();
      throw interrupted(e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  /** How many bytes go together now, unless one alone has more. */
  synchronized long bytesTogether() {
    return bytesTogether;
  }

  /** How many wait for a call of theirs to begin. */
  synchronized int waiting() {
    return line.size();
  }

  /** One thread at most waits for the server; owns the monitor. */
  private void takeATurn() {
    if (someoneWaitsForATurn || line.isEmpty()) {
      return;
    }
    try {
      threads.execute(this::waitForATurn);
      someoneWaitsForATurn = true;
    } catch (RejectedExecutionException e) {
      failAll(new IOException("the store was closed", e));
    }
  }

  private void waitForATurn() {
    Pace.Turn turn;
    List<Asked<T, R>> together;
    try {
      turn = pace.begin();
    } catch (InterruptedException e) {
      synchronized (this) {
        someoneWaitsForATurn = false;
        failAll(interrupted(e));
      }
      return;
    }
    synchronized (this) {
      someoneWaitsForATurn = false;
      together = first();
      takeATurn();
    }
    if (together.isEmpty()) {
      pace.failed();
    } else {
      make(together, turn);
    }
  }

  private void make(List<Asked<T, R>> together, Pace.Turn turn) {
    Exception why = new IOException("the server left it out");
    long begun = System.nanoTime();
    boolean answered = false;
    try {
      call.make(together, turn);
      answered = true;
    } catch (IOException | RuntimeException e) {
      why = e;
    } catch (Error e) {
      why = new IllegalStateException(e);
      throw e;
    } finally {
      took(answered, System.nanoTime() - begun);
      for (Asked<T, R> one : together) {
        one.fail(why);
      }
      if (!answered && why instanceof TimedOut late) {
        failAll(late);
      }
    }
  }

  private synchronized void took(boolean answered, long nanos) {
    if (answered && nanos < QUICK_NANOS) {
      bytesTogether = Math.min(mostBytes, 2 * bytesTogether);
    } else if (!answered || nanos > SLOW_NANOS) {
      bytesTogether = Math.max(Math.min(BYTES_MIN, mostBytes), bytesTogether / 2);
    }
  }

  private List<Asked<T, R>> first() {
    List<Asked<T, R>> together = new ArrayList<>();
    long bytes = 0;
    while (!line.isEmpty() && together.size() < mostItems) {
      bytes += line.getFirst().bytes;
      if (bytes > bytesTogether && !together.isEmpty()) {
        break;
      }
      together.add(line.removeFirst());
    }
    return together;
  }

  private synchronized void failAll(IOException why) {
    line.forEach(asked -> asked.fail(why));
    line.clear();
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    InterruptedIOException interrupted = new InterruptedIOException("interrupted");
    interrupted.initCause(cause);
    return interrupted;
  }
}
