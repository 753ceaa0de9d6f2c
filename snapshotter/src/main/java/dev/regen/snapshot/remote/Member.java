package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One store of a {@link ShardedStore}, and what is known of how well it serves. */
final class Member {
  /** For so long a store that failed is asked only if no other can answer, then twice as long. */
  private static final long AWAY_NANOS = 10_000_000_000L;

  private static final int AWAY_DOUBLED_MAX = 2;

  private final Placement.Server server;
  private final RemoteStore store;
  private final Set<Digest> healed = new HashSet<>();
  private final AtomicLong bytesUnderWay = new AtomicLong();
  private boolean away;
  private boolean refusing;
  private int awayAgain;
  private long awayUntilNanos;
  private @Nullable String lastFailure;

  /** Something to ask the store. */
  @FunctionalInterface
  interface Question<T> {
    T ask(RemoteStore store) throws IOException;
  }

  Member(Placement.Server server, RemoteStore store) {
    this.server = server;
    this.store = store;
  }

  Placement.Server server() {
    return server;
  }

  RemoteStore store() {
    return store;
  }

  /** As {@link #ask}, to put so many bytes there. */
  <T> T ask(long bytes, Question<T> question) throws IOException {
    bytesUnderWay.addAndGet(bytes);
    try {
      return ask(question);
    } finally {
      bytesUnderWay.addAndGet(-bytes);
    }
  }

  /** Of its puts, those that wait for their turn among them. */
  long bytesUnderWay() {
    return bytesUnderWay.get();
  }

  /** Asks, and remembers whether there was an answer; that the store refuses is one. */
  <T> T ask(Question<T> question) throws IOException {
    try {
      T answer = question.ask(store);
      answered();
      return answer;
    } catch (RegenException.Refused e) {
      failed(e, false);
      throw e;
    } catch (RegenException | InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      failed(e, true);
      throw e;
    }
  }

  /** Whether it has as much to do as it bears. */
  boolean isBusy() {
    return store.load().isFull(0);
  }

  synchronized boolean isAway() {
    return away && System.nanoTime() - awayUntilNanos < 0;
  }

  /** Whether it would take what it is not meant for: it is there, and refused nothing last. */
  synchronized boolean isTaking() {
    return server.weight() > 0 && !refusing && !isAway();
  }

  /** What it last failed with, null if it never did. */
  synchronized @Nullable String lastFailure() {
    return lastFailure;
  }

  synchronized void healed(Digest digest) {
    healed.add(digest);
  }

  synchronized int healedChunks() {
    return healed.size();
  }

  private synchronized void answered() {
    away = false;
    refusing = false;
    awayAgain = 0;
  }

  private synchronized void failed(IOException failure, boolean isAway) {
    lastFailure = Why.of(failure);
    refusing = !isAway;
    if (isAway && !(away && System.nanoTime() - awayUntilNanos < 0)) {
      // Calls that fail together are one failure.
      awayUntilNanos = System.nanoTime() + (AWAY_NANOS << awayAgain);
      awayAgain = Math.min(AWAY_DOUBLED_MAX, awayAgain + 1);
    }
    away = isAway;
  }
}
