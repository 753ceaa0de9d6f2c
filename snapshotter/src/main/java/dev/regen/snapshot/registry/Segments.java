package dev.regen.snapshot.registry;

import dev.regen.runtime.Futures;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what arrives into segments and stores these, several at once, while more arrives. For one
 * thread.
 */
final class Segments implements AutoCloseable {
  /** Of one client; what is under way of all together {@link SegmentBuffers} limits. */
  private static final int AT_ONCE = 48;

  private final RemoteStore store;
  private final SegmentBuffers buffers;
  private final BlobReader reader;
  private final String repository;
  private final String upload;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore free = new Semaphore(AT_ONCE);

  /** In order; those that are stored already among them, behind one that is not. */
  private final Deque<Future<Chunk>> underWay = new ArrayDeque<>();

  private final List<Chunk> stored = new ArrayList<>();
  private byte @Nullable [] open;
  private int openBytes;
  private int index;

  /**
   * @param reader is told what is stored
   * @param index of the first segment in its blob
   */
  Segments(
      RemoteStore store,
      SegmentBuffers buffers,
      BlobReader reader,
      RepositoryName repository,
      String upload,
      int index) {
    this.store = store;
    this.buffers = buffers;
    this.reader = reader;
    this.repository = repository.value();
    this.upload = upload;
    this.index = index;
  }

  /**
   * Takes all of {@code bytes}.
   *
   * @throws IOException also what storing an earlier segment failed with
   */
  void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      byte[] segment = segment();
      int count = Math.min(bytes.remaining(), segment.length - openBytes);
      bytes.get(segment, openBytes, count);
      openBytes += count;
      if (openBytes == segment.length) {
        send();
      }
    }
  }

  /** Stores what there is of a segment that others could use the memory of. */
  void makeRoom() {
    if (openBytes > 0 && buffers.areWanted()) {
      send();
    }
  }

  /** Stores what is left; all that was written is stored when this returns. */
  void finish() throws IOException {
    if (openBytes > 0) {
      send();
    }
    while (!underWay.isEmpty()) {
      awaitFirst();
    }
  }

  /** Those that are stored, from the first on without a gap; the later ones may be too. */
  List<Chunk> stored() {
    return stored;
  }

  /** Nothing is under way any more when this returns. */
  @Override
  public void close() {
    // Interrupted, not cancelled: each gives its memory back.
    threads.shutdownNow();
    threads.close();
    byte[] unused = open;
    if (unused != null) {
      open = null;
      buffers.reuse(unused);
      buffers.give(1);
    }
  }

  private byte[] segment() throws IOException {
    byte[] segment = open;
    if (segment == null) {
      while (!underWay.isEmpty() && underWay.getFirst().isDone()) {
        awaitFirst();
      }
      takeTurn();
      buffers.take(1);
      segment = buffers.memory();
      open = segment;
      openBytes = 0;
    }
    return segment;
  }

  private void takeTurn() throws InterruptedIOException {
    try {
      free.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private void send() {
    byte[] segment = open;
    if (segment == null) {
      throw new IllegalStateException("nothing is open");
    }
    int length = openBytes;
    int number = index++;
    open = null;
    openBytes = 0;
    underWay.add(
        threads.submit(() -> {
          try {
            Chunk chunk = store(segment, length, number);
            // Not after a failure: a call that nobody waits for may still read it.
            buffers.reuse(segment);
            return chunk;
          } finally {
            buffers.give(1);
            free.release();
          }
        }));
  }

  private Chunk store(byte[] segment, int length, int number) throws IOException {
    Digest digest = Digest.of(ByteBuffer.wrap(segment, 0, length));
    ChunkName name = new ChunkName(repository, upload, number, digest, length);
    byte[] bytes = length == segment.length ? segment : Arrays.copyOf(segment, length);
    store.put(name, () -> bytes);
    Chunk chunk = new Chunk(digest, length, length);
    reader.stored(chunk);
    return chunk;
  }

  private void awaitFirst() throws IOException {
    stored.add(Futures.get(underWay.getFirst()));
    underWay.removeFirst();
  }
}
