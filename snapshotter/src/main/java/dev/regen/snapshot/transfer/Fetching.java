package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Fetches chunks into the store of this host, and forces them on the way: a process that is killed
 * loses what was not forced.
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

  Fetching(RemoteStore store, ChunkStore chunks, TransferProgress progress) {
    this.store = store;
    this.chunks = chunks;
    this.crew = new Crew(progress);
  }

  /** Fetches all; what was fetched lasts, also if this throws, unless the disk fails. */
  void run(Collection<Transferred.Placed> items) throws IOException {
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
    byte[] bytes = crew.remotely(() -> store.get(digest, size));
    chunks.put(digest, ByteBuffer.wrap(bytes));
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
