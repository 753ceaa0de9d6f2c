package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.PackList;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gathers chunks that come at the same time into packs. Each caller waits until its pack is stored;
 * a pack goes when it is full, or when nobody added to it for a moment. Chunks are not copied: a
 * caller's bytes are read until its call ends.
 */
final class Filling {
  /** From here on a pack is full; with one more chunk it is at most twice as long. */
  static final int FULL_BYTES = 8 << 20;

  private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final StoredPacks packs;
  private final Map<Digest, Open> underWay = new HashMap<>();
  private @Nullable Open open;

  Filling(StoredPacks packs) {
    this.packs = packs;
  }

  /** A pack that is being filled, or stored. */
  private static final class Open {
    private final List<Digest> digests = new ArrayList<>();
    private final List<ByteBuffer> chunks = new ArrayList<>();
    private final CompletableFuture<Void> stored = new CompletableFuture<>();
    private final long beganAt = System.nanoTime();
    private long addedAt = beganAt;
    private int bytes;
    private @Nullable Thread thread;

    void add(Digest digest, ByteBuffer chunk) {
      digests.add(digest);
      chunks.add(chunk);
      bytes += chunk.remaining();
      addedAt = System.nanoTime();
    }

    boolean isFull() {
      return bytes >= FULL_BYTES || digests.size() >= PackList.ENTRIES_MAX;
    }

    long goesAt() {
      return Math.min(addedAt + IDLE_NANOS, beganAt + LONGEST_NANOS);
    }
  }

  /**
   * Stores a chunk, together with others; it lasts when this returns.
   *
   * @param chunk stays as it is until this returns or throws
   * @throws IOException what its pack failed with
   */
  void put(Digest digest, ByteBuffer chunk) throws IOException {
    Open mine;
    synchronized (this) {
      mine = underWay.get(digest);
      if (mine == null) {
        mine = opened();
        mine.add(digest, chunk);
        underWay.put(digest, mine);
        if (mine.isFull()) {
          open = null;
          notifyAll();
        }
      }
    }
    await(mine);
  }

  private Open opened() {
    Open now = open;
    if (now == null) {
      Open fresh = new Open();
      now = fresh;
      open = fresh;
      fresh.thread = Thread.ofVirtual().start(() -> fillAndStore(fresh));
    }
    return now;
  }

  private void fillAndStore(Open pack) {
    Throwable failure = null;
    try {
      awaitFull(pack);
      packs.store(pack.digests, pack.chunks);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      failure = e;
    } finally {
      end(pack);
      if (failure == null) {
        pack.stored.complete(null);
      } else {
        pack.stored.completeExceptionally(failure);
      }
    }
  }

  private synchronized void awaitFull(Open pack) throws InterruptedException {
    while (open == pack) {
      long rest = pack.goesAt() - System.nanoTime();
      if (rest <= 0) {
        open = null;
        return;
      }
      TimeUnit.NANOSECONDS.timedWait(this, rest);
    }
  }

  private synchronized void end(Open pack) {
    if (open == pack) {
      open = null;
    }
    pack.digests.forEach(digest -> underWay.remove(digest, pack));
  }

  private static void await(Open pack) throws IOException {
    try {
      pack.stored.get();
    } catch (InterruptedException e) {
      giveUp(pack);
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted = new InterruptedIOException("interrupted");
      interrupted.initCause(e);
      throw interrupted;
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  /** The bytes of who leaves are part of the pack: it ends, and others begin another. */
  private static void giveUp(Open pack) {
    if (pack.thread != null) {
      pack.thread.interrupt();
    }
    try {
      pack.stored.join();
    } catch (CompletionException e) {
      // As it should.
    }
  }

  /** Each who waited gets one of its own. */
  private static IOException failure(@Nullable Throwable cause) {
    return switch (cause) {
      case RegenException.Refused e -> new RegenException.Refused(String.valueOf(e.getMessage()));
      case RegenException.BadInput e -> new RegenException.BadInput(String.valueOf(e.getMessage()));
      case InterruptedIOException e -> new IOException("the pack was given up", e);
      case InterruptedException e -> new IOException("the pack was given up", e);
      case IOException e -> new IOException(e.getMessage(), e);
      case null -> new IOException("the pack was not stored");
      default -> throw new IllegalStateException(cause);
    };
  }
}
