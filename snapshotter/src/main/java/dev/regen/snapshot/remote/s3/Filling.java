package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.PackList;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
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
 * a pack goes when it is full, or when nobody added to it for a moment. Only then are its chunks
 * read, one after the other into memory outside of the heap: in the heap what is under way would
 * survive every collection.
 */
final class Filling {
  /** From here on a pack is full; with one more chunk it is at most twice as long. */
  static final int FULL_BYTES = 8 << 20;

  private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final int LOOKS_MAX = 500;
  private static final long LOOK_MILLIS = 10;

  private final StoredPacks packs;
  private final Map<Digest, Entry> underWay = new HashMap<>();
  private @Nullable Open open;

  Filling(StoredPacks packs) {
    this.packs = packs;
  }

  /** A chunk's bytes, already compared with its digest, when its pack goes. */
  @FunctionalInterface
  interface Bytes {
    ByteBuffer read() throws IOException;
  }

  /** A chunk of a pack. */
  private static final class Entry {
    private final Digest digest;
    private final int sizeBytes;
    private final Bytes bytes;
    private final Open pack;

    /** Why it could not be read; the others of its pack go without it. */
    private volatile @Nullable Throwable unread;

    Entry(Digest digest, int sizeBytes, Bytes bytes, Open pack) {
      this.digest = digest;
      this.sizeBytes = sizeBytes;
      this.bytes = bytes;
      this.pack = pack;
    }
  }

  /** A pack that is being filled, or stored. */
  private static final class Open {
    private final List<Entry> entries = new ArrayList<>();
    private final CompletableFuture<Void> stored = new CompletableFuture<>();
    private final long beganAt = System.nanoTime();
    private long addedAt = beganAt;
    private int bytes;

    /** Set while it is on its way: only that may be interrupted, reading here may not. */
    private @Nullable Thread sending;

    private boolean givenUp;

    void add(Entry entry) {
      entries.add(entry);
      bytes += entry.sizeBytes;
      addedAt = System.nanoTime();
    }

    boolean isFull() {
      return bytes >= FULL_BYTES || entries.size() >= PackList.ENTRIES_MAX;
    }

    long goesAt() {
      return Math.min(addedAt + IDLE_NANOS, beganAt + LONGEST_NANOS);
    }

    synchronized void requireWanted() throws InterruptedException {
      if (givenUp) {
        throw new InterruptedException();
      }
    }

    synchronized void sends(@Nullable Thread thread) throws InterruptedException {
      if (thread != null) {
        requireWanted();
      }
      sending = thread;
    }

    synchronized void giveUp() {
      givenUp = true;
      if (sending != null) {
        sending.interrupt();
      }
    }
  }

  /**
   * Stores a chunk, together with others; it lasts when this returns.
   *
   * @param bytes as many as {@code sizeBytes}; not read any more when this returns or throws
   * @throws IOException what its pack failed with, or {@code bytes}
   */
  void put(Digest digest, int sizeBytes, Bytes bytes) throws IOException {
    Entry mine;
    synchronized (this) {
      mine = underWay.get(digest);
      if (mine == null) {
        Open pack = opened();
        mine = new Entry(digest, sizeBytes, bytes, pack);
        pack.add(mine);
        underWay.put(digest, mine);
        if (pack.isFull()) {
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
      Thread.ofVirtual().start(() -> fillAndStore(fresh));
    }
    return now;
  }

  private void fillAndStore(Open pack) {
    Throwable failure = null;
    try {
      awaitFull(pack);
      readAndStore(pack);
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

  private void readAndStore(Open pack) throws IOException, InterruptedException {
    // Closed at once: memory outside of the heap that waits for a collection would be too much. Who
    // still sends from it then, though the call has ended, fails.
    Arena memory = Arena.ofShared();
    try {
      int room = pack.bytes + PackList.bytes(pack.entries.size());
      ByteBuffer bytes = memory.allocate(room).asByteBuffer();
      List<Digest> digests = new ArrayList<>();
      int[] ends = new int[pack.entries.size()];
      for (Entry entry : pack.entries) {
        pack.requireWanted();
        if (isRead(entry, bytes)) {
          ends[digests.size()] = bytes.position();
          digests.add(entry.digest);
        }
      }
      if (!digests.isEmpty()) {
        send(pack, new PackList(digests, Arrays.copyOf(ends, digests.size())), bytes);
      }
    } finally {
      close(memory);
    }
  }

  /** A thread that sends from it at this moment keeps it for that moment. */
  private static void close(Arena memory) {
    boolean interrupted = false;
    for (int look = 0; look < LOOKS_MAX; look++) {
      try {
        memory.close();
        break;
      } catch (IllegalStateException e) {
        try {
          Thread.sleep(LOOK_MILLIS);
        } catch (InterruptedException again) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isRead(Entry entry, ByteBuffer to) {
    int from = to.position();
    try {
      ByteBuffer bytes = entry.bytes.read();
      if (bytes.remaining() != entry.sizeBytes) {
        throw new RegenException.BadInput("these are not the bytes of the chunk " + entry.digest);
      }
      to.put(bytes);
      return true;
    } catch (IOException | RuntimeException e) {
      to.position(from);
      entry.unread = e;
      return false;
    }
  }

  private void send(Open pack, PackList list, ByteBuffer bytes)
      throws IOException, InterruptedException {
    pack.sends(Thread.currentThread());
    try {
      packs.store(list, bytes);
    } finally {
      pack.sends(null);
    }
  }

  private synchronized void end(Open pack) {
    if (open == pack) {
      open = null;
    }
    pack.entries.forEach(entry -> underWay.remove(entry.digest, entry));
  }

  private static void await(Entry entry) throws IOException {
    try {
      entry.pack.stored.get();
    } catch (InterruptedException e) {
      giveUp(entry.pack);
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted = new InterruptedIOException("interrupted");
      interrupted.initCause(e);
      throw interrupted;
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
    if (entry.unread != null) {
      throw failure(entry.unread);
    }
  }

  /** The bytes of who leaves are part of the pack: it ends, and others begin another. */
  private static void giveUp(Open pack) {
    pack.giveUp();
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
      case RegenException.Damaged e -> new RegenException.Damaged(String.valueOf(e.getMessage()));
      case RegenException.NotFound e -> new RegenException.NotFound(String.valueOf(e.getMessage()));
      case InterruptedIOException e -> new IOException("the pack was given up", e);
      case InterruptedException e -> new IOException("the pack was given up", e);
      case IOException e -> new IOException(e.getMessage(), e);
      case null -> new IOException("the pack was not stored");
      default -> throw new IllegalStateException(cause);
    };
  }
}
