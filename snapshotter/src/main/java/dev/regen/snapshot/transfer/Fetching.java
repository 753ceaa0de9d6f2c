package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Fetches chunks into the store of this host, and forces them on the way: a process that is killed
 * loses what was not forced. Chunks that the store has not, or has other bytes of, are left out and
 * counted as {@link #lost}; the others go on.
 */
final class Fetching {
  private static final long UNFORCED_BYTES = 16 << 20;
  private static final long UNFORCED_NANOS = 2_000_000_000L;

  private final RemoteStore store;
  private final ChunkStore chunks;
  private final Crew crew;
  private final AtomicLong unforced = new AtomicLong();
  private final ReentrantLock forcing = new ReentrantLock();
  private volatile long forcedAtNanos = System.nanoTime();
  private final Map<Transferred.Placed, RegenException> lost = new ConcurrentHashMap<>();
  private final Consumer<Digest> arrived;

  /**
   * @param arrived told of each chunk that can be read here from now on, on any thread
   */
  Fetching(
      RemoteStore store, ChunkStore chunks, TransferProgress progress, Consumer<Digest> arrived) {
    this.store = store;
    this.chunks = chunks;
    this.crew = new Crew(store, Load.Way.GET, 1, progress);
    this.arrived = arrived;
  }

  /** What could not be had, and why; at most {@link LostChunks#INDICES_MAX}. */
  Map<Transferred.Placed, RegenException> lost() {
    return Map.copyOf(lost);
  }

  /** Ends the caller's part where fetching has failed or is cancelled. */
  void check() throws IOException {
    crew.check();
  }

  /** Fetches all; what was fetched lasts, also if this throws, unless the disk fails. */
  void run(Collection<Transferred.Placed> items) throws IOException {
    Iterator<Transferred.Placed> all = items.iterator();
    run(() -> all.hasNext() ? all.next() : null);
  }

  /** As above, of chunks that are named one by one. */
  void run(Crew.Source<Transferred.Placed> items) throws IOException {
    try {
      crew.run(items, this::fetch);
    } catch (IOException | RuntimeException e) {
      forceAfter(e);
      throw e;
    }
  }

  private void fetch(Transferred.Placed placed) throws IOException {
    Digest digest = placed.chunk().digest();
    int size = placed.chunk().storedBytes();
    byte[] bytes;
    try {
      bytes = crew.remotely(() -> store.get(digest, size));
    } catch (RegenException.NotFound | RegenException.Damaged e) {
      if (lost.size() >= LostChunks.INDICES_MAX) {
        throw e;
      }
      lost.put(placed, e);
      return;
    }
    chunks.put(digest, ByteBuffer.wrap(bytes));
    arrived.accept(digest);
    boolean due =
        unforced.addAndGet(size) >= UNFORCED_BYTES
            || System.nanoTime() - forcedAtNanos > UNFORCED_NANOS;
    if (due && forcing.tryLock()) {
      try {
        unforced.set(0);
        forcedAtNanos = System.nanoTime();
        chunks.force();
      } finally {
        forcing.unlock();
      }
    }
  }

  private void forceAfter(Exception failure) {
    try {
      chunks.force();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
