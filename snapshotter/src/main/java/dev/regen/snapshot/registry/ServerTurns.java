package dev.regen.snapshot.registry;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * Has each of several servers send one reader only a few chunks at a time, in the order in which
 * they are asked for. Whatever a server sends at once shares its line: many chunks would come late
 * all together, and the reader wait for the first of them while the other servers have nothing to
 * send.
 */
final class ServerTurns {
  private static final int UNIT_BYTES = 1 << 10;

  /** Enough that a line is not idle between two calls. */
  private static final int AT_ONCE_BYTES = 4 << 20;

  private final RemoteStore store;
  private final boolean several;
  private final Map<Integer, Semaphore> turns = new ConcurrentHashMap<>();

  ServerTurns(RemoteStore store) {
    this.store = store;
    this.several = store.shards().isPresent();
  }

  /** Waits until a chunk's server has sent enough of those before it, then makes the call. */
  <T> T take(Chunk chunk, Callable<T> call) throws Exception {
    if (!several) {
      return call.call();
    }
    int server = store.load().servers(chunk.digest(), Load.Way.GET).getFirst();
    Semaphore turn =
        turns.computeIfAbsent(server, _ -> new Semaphore(AT_ONCE_BYTES / UNIT_BYTES, true));
    int units = Math.clamp(chunk.storedBytes() / UNIT_BYTES, 1, AT_ONCE_BYTES / UNIT_BYTES);
    turn.acquire(units);
    try {
      return call.call();
    } finally {
      turn.release(units);
    }
  }
}
