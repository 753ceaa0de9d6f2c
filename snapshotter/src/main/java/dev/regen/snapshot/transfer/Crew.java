package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Transfers many chunks at once, as many as each server of a store bears and, in all, as a {@link
 * RemoteStore.Batch} says. Those that are for a server that has enough to do wait, without memory
 * or a place, and the others pass them. After the first failure none begins any more, and what is
 * under way has a moment left.
 */
final class Crew {
  private static final long LOOK_MILLIS = 200;

  /** For what is under way when another fails. */
  private static final long LAST_MILLIS = 2_000;

  /** What all transfers of this process have in memory together, about twice: its heap is small. */
  private static final Semaphore MEMORY_BYTES = new Semaphore(40 << 20, true);

  private final TransferProgress progress;
  private final Load load;
  private final Load.Way way;
  private final RemoteStore.Batch share;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Set<Thread> remote = new HashSet<>();
  private boolean stopped;
  private final AtomicLong chunksDone = new AtomicLong();
  private final AtomicLong bytesDone = new AtomicLong();

  /** Transfers one chunk. */
  @FunctionalInterface
  interface Work<T> {
    void run(T item) throws IOException;
  }

  /** A call to a store. */
  @FunctionalInterface
  interface Call<R> {
    R run() throws IOException;
  }

  /** What is to be transferred, as it becomes known. */
  @FunctionalInterface
  interface Source<T> {
    /** The next one, or null after the last; may wait, if it asks {@link Crew#check} meanwhile. */
    @Nullable T next() throws IOException;
  }

  /** Something to transfer. */
  interface Item {
    Chunk chunk();

    /** Whether its bytes are in memory while it waits, so that few may. */
    default boolean isInMemory() {
      return false;
    }
  }

  /**
   * One of several at the same time, with its share of all.
   *
   * @param way to the store or from it
   * @param crews 1 or 2
   */
  Crew(RemoteStore store, Load.Way way, int crews, TransferProgress progress) {
    this.progress = progress;
    this.load = store.load();
    this.way = way;
    RemoteStore.Batch batch = store.batch();
    this.share = new RemoteStore.Batch(batch.chunks() / crews, batch.bytes() / crews);
  }

  /**
   * Transfers all; nothing is under way any more when this returns or throws.
   *
   * @throws IOException what the first that failed did with
   * @throws CancellationException if the progress says so
   */
  <T extends Item> void run(Collection<T> items, Work<T> work) throws IOException {
    Iterator<T> all = items.iterator();
    run(() -> all.hasNext() ? all.next() : null, work);
  }

  /** As above; those that come first begin while others are not known yet. */
  <T extends Item> void run(Source<T> items, Work<T> work) throws IOException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Places<T> places =
          new Places<>(
              load, way, share, (item, done) -> threads.execute(() -> one(item, work, done)));
      try {
        for (T item = items.next(); item != null; item = items.next()) {
          while (!places.add(item, LOOK_MILLIS)) {
            check();
          }
          check();
        }
        while (!places.awaitEnd(LOOK_MILLIS)) {
          check();
        }
      } finally {
        places.close();
        try {
          if (!progress.cancelled()) {
            // What is nearly done would have to be done again.
            places.awaitUnderWay(LAST_MILLIS);
          }
        } finally {
          stop();
        }
      }
    }
    check();
  }

  /**
   * Calls a store; given up when all ends. Whatever else the work does is never interrupted: that
   * would close files of this host which others use.
   */
  <R> R remotely(Call<R> call) throws IOException {
    synchronized (remote) {
      if (stopped) {
        throw new CancellationException("cancelled");
      }
      remote.add(Thread.currentThread());
    }
    try {
      return call.run();
    } finally {
      synchronized (remote) {
        remote.remove(Thread.currentThread());
        Thread.interrupted();
      }
    }
  }

  private <T extends Item> void one(T item, Work<T> work, Runnable done) {
    int bytes = item.chunk().storedBytes();
    boolean room = false;
    try {
      room = take(bytes);
      if (room && failure.get() == null && !isStopped()) {
        work.run(item);
        progress.done(chunksDone.incrementAndGet(), bytesDone.addAndGet(bytes));
        progress.served(load.served());
      }
    } catch (IOException | RuntimeException e) {
      failure.compareAndSet(null, e);
    } catch (Error e) {
      // Else it would seem to be done.
      failure.compareAndSet(null, new IllegalStateException(e));
      throw e;
    } finally {
      if (room) {
        MEMORY_BYTES.release(bytes);
      }
      done.run();
    }
  }

  /** Waits for memory as long as anything is wanted. */
  private boolean take(int bytes) throws IOException {
    try {
      while (failure.get() == null && !isStopped()) {
        if (MEMORY_BYTES.tryAcquire(bytes, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          return true;
        }
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** Ends the caller's part where one has failed, or the progress says so. */
  void check() throws IOException {
    switch (failure.get()) {
      case null -> {
        if (progress.cancelled()) {
          throw new CancellationException("cancelled");
        }
      }
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Exception e -> throw new IllegalStateException(e);
    }
  }

  private boolean isStopped() {
    synchronized (remote) {
      return stopped;
    }
  }

  private void stop() {
    synchronized (remote) {
      stopped = true;
      remote.forEach(Thread::interrupt);
    }
  }
}
