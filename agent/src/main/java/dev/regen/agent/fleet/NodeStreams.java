package dev.regen.agent.fleet;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The nodes that are connected to this manager. */
final class NodeStreams implements AutoCloseable {
  private final Map<String, Stream> streams = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** A connection over which a node is sent messages. */
  static final class Stream {
    private final long epoch;
    private final Semaphore woken = new Semaphore(1);
    private volatile boolean ended;

    /** Whether the node is one that says that it lives, and when it was last heard. */
    private volatile boolean saysSo;

    private volatile long aliveAtNanos;

    Stream(long epoch) {
      this.epoch = epoch;
    }

    long epoch() {
      return epoch;
    }

    /**
     * Waits until there may be something to send; returns false if there is nothing to look for.
     */
    boolean await(Duration limit) throws InterruptedException {
      boolean any = woken.tryAcquire(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (any) {
        // Not else: what comes in the moment in which this gives up is for the next call.
        woken.drainPermits();
      }
      return any;
    }

    /** Whether a node that says that it lives was not heard for so long. */
    boolean silentFor(Duration limit) {
      return saysSo && System.nanoTime() - aliveAtNanos > limit.toNanos();
    }

    boolean ended() {
      return ended;
    }

    private void wake() {
      if (woken.availablePermits() == 0) {
        woken.release();
      }
    }

    void end() {
      ended = true;
      wake();
    }
  }

  /** A node's newest connection; it ends the one before. */
  Stream open(String node, long epoch) {
    Stream stream = new Stream(epoch);
    streams.compute(
        node,
        (_, other) -> {
          boolean newer = other == null || other.epoch < epoch;
          Stream old = newer ? other : stream;
          if (old != null) {
            old.end();
          }
          return newer ? stream : other;
        });
    if (closed) {
      stream.end();
    }
    return stream;
  }

  void close(String node, Stream stream) {
    streams.remove(node, stream);
  }

  /**
   * A node was heard.
   *
   * @param saysSo whether it said nothing else than that it lives, as it goes on to do where it has
   *     nothing to tell
   */
  void heard(String node, boolean saysSo) {
    Stream stream = streams.get(node);
    if (stream != null) {
      stream.aliveAtNanos = System.nanoTime();
      stream.saysSo |= saysSo;
    }
  }

  /** There may be something for a node; null for each. */
  void wake(@Nullable String node) {
    if (node == null) {
      streams.values().forEach(Stream::wake);
      return;
    }
    Stream stream = streams.get(node);
    if (stream != null) {
      stream.wake();
    }
  }

  int size() {
    return streams.size();
  }

  @Override
  public void close() {
    closed = true;
    streams.values().forEach(Stream::end);
  }
}
