package dev.regen.snapshot.transfer;

import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/**
 * Who of those that wait begins next. Chunks for the same servers wait in one line, in order; of
 * the lines each in turn lets one begin, if all its servers bear it and there is room. No line may
 * take all of the room: a server that hangs has its part of it, and no more.
 */
final class Places<T extends Crew.Item> {
  /** Who is further behind is not known yet; most take no memory but their names'. */
  private static final int WAITING_MAX = 20_000;

  private static final long WAITING_BYTES_MAX = 8 << 20;

  private static final long NANOS_PER_MILLI = 1_000_000;

  private final Load load;
  private final Load.Way way;
  private final RemoteStore.Batch most;
  private final BiConsumer<T, Runnable> begin;
  private final Map<List<Integer>, Deque<T>> lines = new LinkedHashMap<>();
  private final Map<Integer, Integer> chunksAt = new HashMap<>();
  private final Map<Integer, Long> bytesAt = new HashMap<>();
  private int waiting;
  private long waitingBytes;
  private int underWay;
  private long bytesUnderWay;
  private boolean closed;

  /**
   * @param begin begins one, without waiting for it; when it is done the {@code Runnable} is to be
   *     run
   */
  Places(Load load, Load.Way way, RemoteStore.Batch most, BiConsumer<T, Runnable> begin) {
    this.load = load;
    this.way = way;
    this.most = most;
    this.begin = begin;
  }

  /** Puts one at the end of its line; false if in that time there was no room for it. */
  synchronized boolean add(T item, long millis) throws IOException {
    pause(this::mayWait, millis);
    if (!mayWait()) {
      return false;
    }
    lines.computeIfAbsent(servers(item), _ -> new ArrayDeque<>()).add(item);
    waiting++;
    waitingBytes += inMemory(item);
    beginSome();
    return true;
  }

  private boolean mayWait() {
    return waiting < WAITING_MAX && waitingBytes < WAITING_BYTES_MAX;
  }

  private long inMemory(T item) {
    return item.isInMemory() ? item.chunk().storedBytes() : 0;
  }

  /** Waits until all is done; false if in that time it was not. */
  synchronized boolean awaitEnd(long millis) throws IOException {
    pause(() -> waiting + underWay == 0, millis);
    return waiting + underWay == 0;
  }

  /** Waits until nothing is under way, at most so long. */
  synchronized void awaitUnderWay(long millis) throws IOException {
    pause(() -> underWay == 0, millis);
  }

  /** No other begins any more. */
  synchronized void close() {
    closed = true;
  }

  private void beginSome() {
    boolean some = true;
    while (some && !closed) {
      some = false;
      for (Deque<T> line : lines.values()) {
        some |= beginFirst(line);
      }
    }
  }

  private boolean beginFirst(Deque<T> line) {
    T item = line.peek();
    if (item == null || underWay >= most.chunks()) {
      return false;
    }
    int bytes = item.chunk().storedBytes();
    // Anew: a server may be away by now, or another that has a copy may have time.
    List<Integer> servers = servers(item);
    if ((underWay > 0 && bytesUnderWay + bytes > most.bytes())
        || !servers.stream().allMatch(server -> bears(server, bytes))) {
      return false;
    }
    line.remove();
    waiting--;
    waitingBytes -= inMemory(item);
    count(servers, 1, bytes);
    begin.accept(item, () -> done(servers, bytes));
    return true;
  }

  private boolean bears(int server, int bytes) {
    int chunks = chunksAt.getOrDefault(server, 0);
    return chunks == 0
        || (chunks < load.bears(server, bytes)
            && bytesAt.getOrDefault(server, 0L) + bytes <= most.bytes() / share());
  }

  /** Into how many parts the room is divided, of which each server may take two. */
  private double share() {
    return (Math.max(1, chunksAt.size()) + 1) / 2.0;
  }

  private synchronized void done(List<Integer> servers, int bytes) {
    count(servers, -1, -bytes);
    beginSome();
    notifyAll();
  }

  private void count(List<Integer> servers, int chunks, int bytes) {
    underWay += chunks;
    bytesUnderWay += bytes;
    for (int server : servers) {
      chunksAt.merge(server, chunks, Integer::sum);
      bytesAt.merge(server, (long) bytes, Long::sum);
    }
  }

  private List<Integer> servers(T item) {
    return load.servers(item.chunk().digest(), way);
  }

  private void pause(BooleanSupplier until, long millis) throws IOException {
    long deadline = System.nanoTime() + millis * NANOS_PER_MILLI;
    try {
      for (long left = millis; left > 0 && !until.getAsBoolean(); ) {
        wait(left);
        left = (deadline - System.nanoTime()) / NANOS_PER_MILLI;
      }
      // A server may have come back, or gone away.
      beginSome();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
