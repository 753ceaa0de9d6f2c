package dev.regen.snapshot.transfer;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What chunks hold, one after the other, straight from a store: several are fetched ahead, at most
 * {@link #AHEAD_BYTES_MAX} of them. None of a chunk's bytes is given before all were compared with
 * its digest. A failure is thrown by every later call.
 */
public final class ChunkStream extends InputStream {
  private static final int AHEAD_BYTES_MAX = 12 << 20;
  private static final long LOOK_MILLIS = 200;

  private final RemoteStore store;
  private final Iterator<Chunk> chunks;
  private final TransferProgress progress;
  private final Told told;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Deque<Coming> ahead = new ArrayDeque<>();
  private @Nullable Chunk next;
  private int aheadBytes;
  private byte[] current = new byte[0];
  private int at;
  private @Nullable IOException failure;

  /** Hears of each chunk that was given out, and of one that could not be had. */
  public interface Told {
    void arrived(Chunk chunk);

    void lost(Chunk chunk);
  }

  private record Coming(Chunk chunk, Future<byte[]> bytes) {}

  /**
   * @param progress asked whether to end; not told how far it is
   */
  public ChunkStream(RemoteStore store, List<Chunk> chunks, TransferProgress progress, Told told) {
    this.store = store;
    this.chunks = chunks.iterator();
    this.progress = progress;
    this.told = told;
    advance();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    if (at == current.length && !fill()) {
      return -1;
    }
    int count = Math.min(length, current.length - at);
    System.arraycopy(current, at, into, offset, count);
    at += count;
    return count;
  }

  /** Gives up what is under way. */
  @Override
  public void close() {
    ahead.forEach(coming -> coming.bytes().cancel(true));
    threads.shutdownNow();
    threads.close();
  }

  private boolean fill() throws IOException {
    if (failure != null) {
      throw failure;
    }
    try {
      fetchAhead();
      Coming first = ahead.poll();
      if (first == null) {
        return false;
      }
      current = unpacked(first.chunk(), arrived(first));
      at = 0;
      aheadBytes -= first.chunk().storedBytes();
      told.arrived(first.chunk());
      return true;
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  private void fetchAhead() {
    for (Chunk chunk = next; chunk != null && hasRoom(chunk); chunk = next) {
      Chunk wanted = chunk;
      aheadBytes += wanted.storedBytes();
      ahead.add(
          new Coming(
              wanted, threads.submit(() -> store.get(wanted.digest(), wanted.storedBytes()))));
      advance();
    }
  }

  private boolean hasRoom(Chunk chunk) {
    return ahead.isEmpty()
        || (ahead.size() < store.batch().chunks()
            && aheadBytes + chunk.storedBytes() <= AHEAD_BYTES_MAX);
  }

  private void advance() {
    next = chunks.hasNext() ? chunks.next() : null;
  }

  private byte[] arrived(Coming coming) throws IOException {
    try {
      while (true) {
        if (progress.cancelled()) {
          throw new CancellationException("cancelled");
        }
        try {
          return coming.bytes().get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          // Looks again whether to go on.
        }
      }
    } catch (ExecutionException e) {
      throw failed(coming.chunk(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private IOException failed(Chunk chunk, ExecutionException thrown) {
    return switch (thrown.getCause()) {
      case RegenException.NotFound e -> lost(chunk, e);
      case RegenException.Damaged e -> lost(chunk, e);
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case null, default -> new IOException(thrown);
    };
  }

  /** Tells of this one, and of those under way that are lost too: they are sent again at once. */
  private IOException lost(Chunk chunk, IOException failed) {
    told.lost(chunk);
    for (Coming coming : ahead) {
      try {
        coming.bytes().get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return failed;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RegenException.NotFound
            || e.getCause() instanceof RegenException.Damaged) {
          told.lost(coming.chunk());
        }
      }
    }
    return failed;
  }

  private static byte[] unpacked(Chunk chunk, byte[] stored) throws IOException {
    byte[] tar = new byte[chunk.tarBytes()];
    long length;
    try {
      length = Zstd.decompress(tar, stored);
    } catch (ZstdException e) {
      throw wrong(chunk);
    }
    if (Zstd.isError(length) || length != tar.length) {
      throw wrong(chunk);
    }
    return tar;
  }

  private static RegenException wrong(Chunk chunk) {
    return new RegenException.Damaged(
        "the store's chunk " + chunk.digest() + " does not unpack to what its layer says");
  }
}
