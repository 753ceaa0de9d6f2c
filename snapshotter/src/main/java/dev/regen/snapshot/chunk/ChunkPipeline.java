package dev.regen.snapshot.chunk;

import com.github.luben.zstd.ZstdCompressCtx;
import dev.regen.runtime.Threads;
import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Compresses, seals, digests and stores chunks on several threads, while one thread fills the next.
 *
 * <p>That thread takes an empty buffer, fills it, submits it, and so on; it waits while all {@code
 * 4 × workers + 1} buffers are in use, so memory is bounded: 8 MiB for each, outside the heap. A
 * failure of one worker is thrown by the next {@link #take} or {@link #drain}; nothing more is
 * stored then. {@link #close} ends the threads and gives the memory back.
 */
public final class ChunkPipeline implements AutoCloseable {
  /** How long the filling thread waits at a time before it looks around, in milliseconds. */
  private static final long WAIT_MILLIS = 50;

  private static final int LEVEL = 3;

  /** What is to be made of a filled buffer; a null buffer ends the worker. */
  private record Work(@Nullable ByteBuffer tar, ChunkList.Place place) {}

  private final ChunkStore store;
  private final Sealing sealing;
  private final Runnable whileWaiting;
  private final Arena arena = Arena.ofShared();
  private final int buffers;
  private final BlockingQueue<ByteBuffer> free;
  private final BlockingQueue<Work> work;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final AtomicLong newBytes = new AtomicLong();
  private volatile boolean closing;

  /**
   * Starts the threads.
   *
   * @param sealing what is done to each chunk between compressing and its digest
   * @param workers how many threads compress at a time, at least 1; one more is started, since a
   *     thread that writes past the page cache waits for the disk
   * @param whileWaiting called at least every 50 ms while {@link #take} or {@link #drain} waits;
   *     what it throws ends the waiting
   */
  public ChunkPipeline(ChunkStore store, Sealing sealing, int workers, Runnable whileWaiting) {
    this.store = store;
    this.sealing = sealing;
    this.whileWaiting = whileWaiting;
    this.buffers = 4 * workers + 1;
    this.free = new ArrayBlockingQueue<>(buffers);
    this.work = new ArrayBlockingQueue<>(buffers + workers + 1);
    for (int i = 0; i < buffers; i++) {
      free.add(arena.allocate(Chunk.TAR_BYTES_MAX).asByteBuffer());
    }
    for (int i = 0; i < workers + 1; i++) {
      ByteBuffer stored = arena.allocate(Chunk.STORED_BYTES_MAX, Disk.ALIGNED_BYTES).asByteBuffer();
      threads.add(Thread.ofPlatform().name("regen-chunk-" + i).daemon().start(() -> run(stored)));
    }
  }

  /**
   * An empty direct buffer of {@link Chunk#TAR_BYTES_MAX} bytes.
   *
   * @throws IOException what a worker failed with
   */
  public ByteBuffer take() throws IOException {
    while (true) {
      throwFailure();
      ByteBuffer buffer = poll();
      if (buffer != null) {
        return buffer.clear();
      }
      whileWaiting.run();
    }
  }

  /** Makes a chunk of what is between the buffer's start and its position, which must not be 0. */
  public void submit(ByteBuffer taken, ChunkList list) {
    submit(taken, list.next());
  }

  void submit(ByteBuffer taken, ChunkList.Place place) {
    work.add(new Work(taken.flip(), place));
  }

  /**
   * Waits until everything submitted is stored.
   *
   * @throws IOException what a worker failed with
   */
  public void drain() throws IOException {
    List<ByteBuffer> all = new ArrayList<>();
    while (all.size() < buffers) {
      all.add(take());
    }
    throwFailure();
    free.addAll(all);
  }

  /** Where its chunks are to be cut. */
  Cutting cutting() {
    return sealing.cutting();
  }

  /** The stored length of the chunks that were new to the store. */
  public long newBytes() {
    return newBytes.get();
  }

  /** Ends the threads; what was submitted and is not begun is dropped. */
  @Override
  public void close() {
    closing = true;
    work.clear();
    for (int i = 0; i < threads.size(); i++) {
      work.add(new Work(null, new ChunkList.Place()));
    }
    Threads.awaitEnd(threads);
    arena.close();
  }

  private @Nullable ByteBuffer poll() {
    try {
      return free.poll(WAIT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }

  private void throwFailure() throws IOException {
    switch (failure.get()) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  private void run(ByteBuffer stored) {
    Sealing.Sealer sealer = sealing.sealer();
    try (ZstdCompressCtx zstd = new ZstdCompressCtx()) {
      zstd.setLevel(LEVEL).setChecksum(true).setContentSize(true);
      while (true) {
        Work next = work.take();
        if (next.tar == null) {
          return;
        }
        if (!closing && failure.get() == null) {
          next.place.fill(store(zstd, sealer, next.tar, stored));
        }
        free.add(next.tar);
      }
    } catch (Throwable e) {
      // Whatever it is, the thread that waits for this one has to hear of it.
      failure.compareAndSet(null, e);
    }
  }

  private Chunk store(
      ZstdCompressCtx zstd, Sealing.Sealer sealer, ByteBuffer tar, ByteBuffer stored)
      throws IOException {
    int tarBytes = tar.limit();
    int length = zstd.compressDirectByteBuffer(stored, 0, stored.capacity(), tar, 0, tarBytes);
    ByteBuffer sealed = sealer.sealed(stored.slice(0, length));
    int storedBytes = sealed.remaining();
    Digest digest = Digest.of(sealed.duplicate());
    if (store.put(digest, sealed)) {
      newBytes.addAndGet(storedBytes);
    }
    return new Chunk(digest, storedBytes, tarBytes);
  }
}
