package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Chunks of this host for two pushes of one snapshot at the same time: what one of them has read
 * the other gets from memory, as long as it is not more than {@link #BYTES_MAX} behind. One that is
 * further behind reads for itself: it does not hold the other up.
 */
public final class ReadOnce implements ChunkReader.Source {
  private static final int BYTES_MAX = 8 << 20;

  private final ChunkReader.Source chunks;

  /** Read by one of them and not yet by the other, oldest first; guarded by this. */
  private final Map<Digest, Read> kept = new LinkedHashMap<>();

  private long keptBytes;

  /** One reading of a chunk. */
  private static final class Read {
    private final CompletableFuture<byte[]> bytes = new CompletableFuture<>();
    private int keptBytes;
    private boolean taken;
  }

  public ReadOnce(ChunkReader.Source chunks) {
    this.chunks = chunks;
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    Read own = new Read();
    Read other = take(digest, own);
    return other == null ? read(digest, own) : await(other);
  }

  /** What the other one has read, or reads now; if there is none, {@code own} is for the other. */
  private synchronized @Nullable Read take(Digest digest, Read own) {
    Read other = kept.remove(digest);
    if (other == null) {
      kept.put(digest, own);
    } else {
      other.taken = true;
      keptBytes -= other.keptBytes;
    }
    return other;
  }

  private byte[] read(Digest digest, Read own) throws IOException {
    try {
      byte[] bytes = chunks.get(digest);
      own.bytes.complete(bytes);
      keep(own, bytes.length);
      return bytes;
    } catch (IOException | RuntimeException | Error e) {
      // The other one waits for it, whatever it was.
      own.bytes.completeExceptionally(e);
      forget(digest, own);
      throw e;
    }
  }

  private synchronized void keep(Read own, int bytes) {
    if (own.taken) {
      return;
    }
    own.keptBytes = bytes;
    keptBytes += bytes;
    Iterator<Read> oldest = kept.values().iterator();
    while (keptBytes > BYTES_MAX && oldest.hasNext()) {
      Read next = oldest.next();
      if (next.keptBytes > 0) {
        next.taken = true;
        keptBytes -= next.keptBytes;
        oldest.remove();
      }
    }
  }

  private synchronized void forget(Digest digest, Read own) {
    if (!own.taken) {
      kept.remove(digest);
    }
  }

  private static byte[] await(Read other) throws IOException {
    try {
      return other.bytes.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failed -> throw failed;
        case RuntimeException failed -> throw failed;
        case null, default -> throw new IOException(e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
