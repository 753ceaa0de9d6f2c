package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Names chunks of an upload as soon as the store has them. It asks about those that come next, some
 * hundreds at once, ten times a second at most, and only when all that it has named are being
 * fetched; while nothing comes once a second, and about more each time, since uploads need not keep
 * to an order.
 */
final class Coming implements Crew.Source<Transferred.Placed> {
  private static final int WINDOW_MIN = 256;
  private static final long ASK_NANOS = 100_000_000L;
  private static final long LOOK_NANOS = 1_000_000_000L;

  private final RemoteStore store;
  private final Patience patience;
  private final Upload upload;
  private final Map<Digest, Transferred.Placed> waiting = new LinkedHashMap<>();
  private final Deque<Transferred.Placed> ready = new ArrayDeque<>();
  private int window;
  private boolean ended;
  private long askedAtNanos = System.nanoTime() - ASK_NANOS;
  private long lookedAtNanos = System.nanoTime() - LOOK_NANOS;

  /** What comes. */
  interface Upload {
    /** Throws where somebody who fetches has failed. */
    void check() throws IOException;

    /**
     * Whether more will come.
     *
     * @return false if all that will ever come is there
     * @throws IOException if there is no reason to wait any longer
     */
    boolean goesOn() throws IOException;
  }

  /**
   * @param items in the order in which they are sent
   */
  Coming(
      RemoteStore store, Collection<Transferred.Placed> items, Patience patience, Upload upload) {
    this.store = store;
    this.patience = patience;
    this.upload = upload;
    items.forEach(placed -> waiting.put(placed.chunk().digest(), placed));
    window = Math.max(1, waiting.size()); // Much of it may be there from earlier snapshots.
  }

  /** What did not come; to be asked for when {@link #next} has returned null. */
  List<Transferred.Placed> left() {
    return List.copyOf(waiting.values());
  }

  @Override
  public Transferred.@Nullable Placed next() throws IOException {
    while (ready.isEmpty() && !waiting.isEmpty() && !ended) {
      upload.check();
      look();
    }
    Transferred.Placed next = ready.pollFirst();
    if (next != null) {
      patience.sign(); // However long it takes to fetch what is there.
    }
    return next;
  }

  private void look() throws IOException {
    if (System.nanoTime() - askedAtNanos < ASK_NANOS) {
      patience.pause("nothing comes: waiting for the push to go on");
    }
    if (ask(window)) {
      patience.sign();
      window = WINDOW_MIN;
      return;
    }
    window = Math.min(RemoteStore.DIGESTS_MAX, 2 * Math.max(WINDOW_MIN, window));
    if (System.nanoTime() - lookedAtNanos >= LOOK_NANOS) {
      lookedAtNanos = System.nanoTime();
      if (!upload.goesOn()) {
        ended = true;
        ask(waiting.size());
      }
    }
  }

  /** Whether any of the first {@code count} has come. */
  private boolean ask(int count) throws IOException {
    List<Digest> asked = new ArrayList<>();
    for (Digest digest : waiting.keySet()) {
      if (asked.size() >= count) {
        break;
      }
      asked.add(digest);
    }
    Set<Digest> lacks = store.missing(asked);
    askedAtNanos = System.nanoTime();
    for (Digest digest : asked) {
      Transferred.Placed placed = lacks.contains(digest) ? null : waiting.remove(digest);
      if (placed != null) {
        ready.addLast(placed);
      }
    }
    return !ready.isEmpty();
  }
}
