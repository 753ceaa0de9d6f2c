package dev.regen.snapshot.layer;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The tar stream of an archive, its chunks fetched, checked and unpacked by several threads ahead
 * of the one that reads.
 *
 * <p>A chunk's bytes are seen only after its digest fits, and unpack to exactly the length that the
 * manifest states. Memory outside the heap: {@code 2 × workers + 1} times the largest chunk, given
 * back by {@link #close}.
 */
final class ChunkSource implements TarSource {
  private static final long STOP_SECONDS = 60;

  private final ChunkReader reader;
  private final List<Chunk> chunks;
  private final ExecutorService threads;
  private final Arena arena = Arena.ofShared();
  private final Deque<ByteBuffer> free = new ArrayDeque<>();
  private final Deque<Future<ByteBuffer>> ahead = new ArrayDeque<>();
  private @Nullable ByteBuffer inUse;
  private final int until;
  private int nextToFetch;

  /** All of an archive. */
  ChunkSource(ChunkReader reader, List<Chunk> chunks, int workers) {
    this(reader, chunks, 0, chunks.size(), workers);
  }

  /** The chunks from number {@code from} on, up to {@code until} and without it. */
  ChunkSource(ChunkReader reader, List<Chunk> chunks, int from, int until, int workers) {
    this.reader = reader;
    this.chunks = chunks;
    this.nextToFetch = from;
    this.until = until;
    this.threads =
        Executors.newFixedThreadPool(
            workers, Thread.ofPlatform().name("regen-restore-", 0).daemon().factory());
    List<Chunk> wanted = chunks.subList(from, until);
    int largest = wanted.stream().mapToInt(Chunk::tarBytes).max().orElse(1);
    for (int i = 0; i < Math.clamp(wanted.size(), 1, 2 * workers + 1); i++) {
      free.add(arena.allocate(largest).asByteBuffer());
    }
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    if (inUse != null) {
      free.addLast(inUse);
      inUse = null;
    }
    fetchAhead();
    Future<ByteBuffer> first = ahead.pollFirst();
    if (first == null) {
      return null;
    }
    inUse = result(first);
    return inUse.duplicate();
  }

  private void fetchAhead() {
    while (nextToFetch < until && !free.isEmpty()) {
      int index = nextToFetch++;
      ByteBuffer into = free.removeFirst();
      ahead.addLast(threads.submit(() -> unpacked(index, into)));
    }
  }

  private ByteBuffer unpacked(int index, ByteBuffer into) throws IOException {
    try (ChunkDecoder decoder = new ChunkDecoder(reader, chunks)) {
      decoder.unpack(index, into);
    }
    return into;
  }

  private static ByteBuffer result(Future<ByteBuffer> first) throws IOException {
    try {
      return first.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading an archive");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RegenException known -> throw known;
        case IOException failed -> throw new IOException(failed.getMessage(), failed);
        case null, default -> throw new IOException("reading an archive failed", e);
      }
    }
  }

  /** Stops the threads, then gives the memory back; buffers of {@link #next} are gone then. */
  @Override
  public void close() {
    threads.shutdownNow();
    boolean stopped = false;
    try {
      stopped = threads.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (stopped) {
      arena.close(); // otherwise a thread still writes there: rather lose the memory
    }
  }
}
