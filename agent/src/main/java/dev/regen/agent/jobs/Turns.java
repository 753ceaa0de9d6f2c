package dev.regen.agent.jobs;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.Spool;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose turn it is in the spool: the layer at work, the one after it, and those who wait for it or
 * keep it away.
 *
 * <p>One thread works: {@link #next}, {@link #begun}, {@link #ended}, again and again, and {@link
 * #rest} where there is nothing. All others may ask at any time.
 */
final class Turns {
  private static final Logger LOG = LoggerFactory.getLogger(Turns.class);
  private static final Duration TAKEN_LIMIT = Duration.ofSeconds(15);
  private static final long POLL_MILLIS = 20;

  private final Spool spool;
  private final Retries retries = new Retries();
  private final Map<QueueName, Long> takenUntilNanos = new HashMap<>();
  private final Map<QueueName, Integer> awaited = new HashMap<>();
  private final Map<QueueName, Integer> held = new HashMap<>();
  private @Nullable FrozenLayer current;
  private @Nullable Job currentJob;
  private boolean told;
  private boolean closed;

  Turns(Spool spool) {
    this.spool = spool;
  }

  /** The spool may hold something new. */
  synchronized void look() {
    told = true;
    notifyAll();
  }

  /** Stops the work, and ends every {@link #rest} and {@link #await} from now on. */
  synchronized void close() {
    closed = true;
    if (currentJob != null) {
      currentJob.cancel();
    }
    notifyAll();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /**
   * The oldest layer whose queue is neither taken nor waiting after a failure; it is at work now.
   */
  @Nullable FrozenLayer next() throws IOException {
    List<FrozenLayer> layers = spool.list();
    synchronized (this) {
      long now = System.nanoTime();
      takenUntilNanos.values().removeIf(until -> until - now < 0);
      Set<String> there = new HashSet<>();
      layers.forEach(layer -> there.add(layer.job()));
      retries.keepOnly(there);
      current = firstOf(layers);
      return current;
    }
  }

  /** Layers that somebody waits for come before others. */
  private @Nullable FrozenLayer firstOf(List<FrozenLayer> layers) {
    Set<QueueName> blocked = new HashSet<>(takenUntilNanos.keySet());
    blocked.addAll(held.keySet());
    FrozenLayer first = null;
    for (FrozenLayer layer : layers) {
      if (!retries.isPause(layer.job()) && !blocked.contains(layer.queue())) {
        if (awaited.containsKey(layer.queue())) {
          return layer;
        }
        first = first == null ? layer : first;
      }
      blocked.add(layer.queue());
    }
    return first;
  }

  /** The layer at work is {@code job} from now on. */
  synchronized void begun(Job job) {
    currentJob = job;
    if (current != null && takenUntilNanos.containsKey(current.queue())) {
      job.cancel();
    }
  }

  /** Nothing is at work any more. */
  synchronized void ended() {
    current = null;
    currentJob = null;
    notifyAll();
  }

  /** {@code layer} is in its queue. */
  synchronized void archived(FrozenLayer layer) {
    retries.remove(layer.job());
  }

  /**
   * {@code layer} is left alone for a while; returns whether that has another reason than before.
   */
  synchronized boolean failed(FrozenLayer layer, String message) {
    return retries.failed(layer.job(), message);
  }

  /** Waits until {@link #look} or {@link #close}, but so long at most. */
  synchronized void rest(long limitMillis) throws InterruptedException {
    long deadline = System.nanoTime() + limitMillis * 1_000_000;
    long leftMillis = limitMillis;
    while (!told && !closed && leftMillis > 0) {
      wait(leftMillis);
      leftMillis = (deadline - System.nanoTime()) / 1_000_000;
    }
    told = false;
  }

  List<PendingLayer> pending() throws IOException {
    List<FrozenLayer> layers = spool.list();
    List<PendingLayer> all = new ArrayList<>();
    synchronized (this) {
      for (FrozenLayer layer : layers) {
        String failure = retries.message(layer.job());
        boolean busy = current != null && current.job().equals(layer.job());
        PendingLayer.State state =
            failure != null
                ? PendingLayer.State.FAILED
                : busy ? PendingLayer.State.ARCHIVING : PendingLayer.State.WAITING;
        all.add(new PendingLayer(layer, state, failure));
      }
    }
    return all;
  }

  /** See {@link dev.regen.runtime.oci.PendingLayers#takeOver}. */
  synchronized boolean takeOver(QueueName queue, Duration limit) throws InterruptedException {
    takenUntilNanos.put(queue, System.nanoTime() + TAKEN_LIMIT.toNanos());
    if (isAtWork(queue) && currentJob != null) {
      currentJob.cancel();
    }
    long deadline = System.nanoTime() + limit.toNanos();
    while (isAtWork(queue)) {
      long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        return false;
      }
      wait(leftMillis);
    }
    return true;
  }

  /** The layers of {@code queue} have no turn, until as many times {@link #letGo}. */
  synchronized void hold(QueueName queue) {
    held.merge(queue, 1, Integer::sum);
  }

  synchronized void letGo(QueueName queue) {
    held.computeIfPresent(queue, (_, count) -> count == 1 ? null : count - 1);
    look();
  }

  /** See {@link dev.regen.runtime.oci.PendingLayers#awaitArchived}. */
  boolean await(QueueName queue, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (this) {
      awaited.merge(queue, 1, Integer::sum);
      look();
    }
    try {
      Standing standing = standing(queue);
      while (standing == Standing.AT_WORK) {
        synchronized (this) {
          if (System.nanoTime() - deadline > 0 || closed) {
            return false;
          }
          wait(POLL_MILLIS);
        }
        standing = standing(queue);
      }
      return standing == Standing.ARCHIVED;
    } finally {
      synchronized (this) {
        awaited.computeIfPresent(queue, (_, count) -> count == 1 ? null : count - 1);
      }
    }
  }

  private enum Standing {
    ARCHIVED,
    AT_WORK,
    /** Its next layer has failed and is left alone for a while. */
    FAILED
  }

  /** The oldest layer of a queue holds up the others, so it alone decides. */
  private Standing standing(QueueName queue) {
    try {
      List<FrozenLayer> left = spool.list(queue);
      synchronized (this) {
        if (isAtWork(queue)) {
          return Standing.AT_WORK;
        }
        if (left.isEmpty()) {
          return Standing.ARCHIVED;
        }
        return retries.isPause(left.getFirst().job()) ? Standing.FAILED : Standing.AT_WORK;
      }
    } catch (IOException e) {
      LOG.warn("the spool cannot be read: {}", e.getMessage());
      return Standing.AT_WORK;
    }
  }

  private boolean isAtWork(QueueName queue) {
    return current != null && current.queue().equals(queue);
  }
}
