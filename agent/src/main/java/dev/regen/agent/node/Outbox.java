package dev.regen.agent.node;

import dev.regen.runtime.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is to be told to the manager, in order, until it has it. Putting something in waits for
 * nobody.
 *
 * <p>A report takes the place of an earlier one with its key that was not told, so this does not
 * grow while a manager is away: of a job the last of each state is told.
 */
final class Outbox {
  private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
  private static final int WAITING_MAX = 10_000;

  private final Map<String, Entry> waiting = new LinkedHashMap<>();
  private final Set<String> queues = new LinkedHashSet<>();
  private final boolean heard;
  private boolean connected;
  private boolean all;
  private boolean full;
  private boolean closed;

  /**
   * A report.
   *
   * @param told is run when the manager has it; quick
   */
  record Entry(String key, JsonObject report, Runnable told) {}

  /**
   * @param heard whether anybody will ever listen; if not, this stays empty
   */
  Outbox(boolean heard) {
    this.heard = heard;
  }

  /** Something is to be told. */
  synchronized void put(String key, JsonObject report, Runnable told) {
    if (!heard) {
      return;
    }
    if (waiting.size() >= WAITING_MAX && !waiting.containsKey(key)) {
      if (!full) {
        LOG.warn("{} reports wait for the manager; it will miss later ones", waiting.size());
      }
      full = true;
      return;
    }
    waiting.put(key, new Entry(key, report, told));
    notifyAll();
  }

  /** Something about a queue has changed. */
  synchronized void queue(String name) {
    if (heard) {
      queues.add(name);
      notifyAll();
    }
  }

  /** Everything that is here is to be told once more. */
  synchronized void all() {
    all = true;
    notifyAll();
  }

  synchronized void connected(boolean now) {
    connected = now;
    all |= now;
    notifyAll();
  }

  synchronized boolean isConnected() {
    return connected;
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /**
   * Waits until somebody listens and there is something to tell, at most so long.
   *
   * @return whether there may be
   */
  synchronized boolean await(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    for (long left = limit.toMillis(); !closed && left > 0; ) {
      if (connected && (all || !waiting.isEmpty() || !queues.isEmpty())) {
        return true;
      }
      wait(left);
      left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
    }
    return false;
  }

  /** Waits until somebody listens; returns false if this is closed. */
  synchronized boolean awaitConnected() throws InterruptedException {
    while (!closed && !connected) {
      wait();
    }
    return !closed;
  }

  /** The first of them, as many as fit. They stay until {@link #told}. */
  synchronized List<Entry> first(int most, long bytesMax) {
    List<Entry> first = new ArrayList<>();
    long bytes = 0;
    for (Entry entry : waiting.values()) {
      bytes += entry.report().bytes().length;
      if (first.size() >= most || (bytes > bytesMax && !first.isEmpty())) {
        break;
      }
      first.add(entry);
    }
    return first;
  }

  /** The manager has these; what came in the place of one meanwhile stays. */
  void told(List<Entry> entries) {
    synchronized (this) {
      for (Entry entry : entries) {
        waiting.remove(entry.key(), entry);
      }
      full = false;
    }
    entries.forEach(entry -> entry.told().run());
  }

  /** The queues that have changed; they are the caller's to tell from then on. */
  synchronized List<String> takeQueues(int most) {
    List<String> taken = new ArrayList<>();
    for (Iterator<String> each = queues.iterator(); each.hasNext() && taken.size() < most; ) {
      taken.add(each.next());
      each.remove();
    }
    return taken;
  }

  /** Whether all is to be told; the caller does so. */
  synchronized boolean takeAll() {
    boolean taken = all;
    all = false;
    return taken;
  }
}
