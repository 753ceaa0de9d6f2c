package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Chunk;
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
 * Transfers many chunks at once, as many as a {@link RemoteStore.Batch} says. The first failure
 * ends all.
 */
final class Crew {
  private static final long LOOK_MILLIS = 200;

  /** What all transfers of this process have in memory together, about twice: its heap is small. */
  private static final Semaphore MEMORY_BYTES = new Semaphore(40 << 20, true);

  private final TransferProgress progress;
  private final int placesMax;
  private final Semaphore places;
  private final Semaphore room;
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
  }

  /**
   * One of several at the same time, with its share of all.
   *
   * @param batch how much at once
   * @param crews 1 or 2
   */
  Crew(RemoteStore.Batch batch, int crews, TransferProgress progress) {
    this.progress = progress;
    this.placesMax = batch.chunks() / crews;
    this.places = new Semaphore(placesMax);
    this.room = new Semaphore(batch.bytes() / crews);
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
      try {
        for (T item = items.next(); item != null; item = items.next()) {
          T next = item;
          take(places, 1);
          take(room, item.chunk().storedBytes());
          take(MEMORY_BYTES, item.chunk().storedBytes());
          threads.execute(() -> one(next, work));
        }
        take(places, placesMax);
      } finally {
        stop();
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

  private <T extends Item> void one(T item, Work<T> work) {
    int bytes = item.chunk().storedBytes();
    try {
      if (failure.get() == null && !isStopped()) {
        work.run(item);
        progress.done(chunksDone.incrementAndGet(), bytesDone.addAndGet(bytes));
      }
    } catch (IOException | RuntimeException e) {
      failure.compareAndSet(null, e);
    } finally {
      MEMORY_BYTES.release(bytes);
      room.release(bytes);
      places.release();
    }
  }

  private void take(Semaphore what, int permits) throws IOException {
    try {
      while (!what.tryAcquire(permits, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        check();
      }
      check();
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
