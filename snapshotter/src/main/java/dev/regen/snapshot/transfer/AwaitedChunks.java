package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;

/** Chunks of this host, some of which are still to come: who reads such a one waits for it. */
final class AwaitedChunks implements ChunkReader.Source {
  private final ChunkStore chunks;
  private final Set<Digest> awaited;
  private boolean ended;

  AwaitedChunks(ChunkStore chunks, Collection<Digest> awaited) {
    this.chunks = chunks;
    this.awaited = new HashSet<>(awaited);
  }

  /**
   * @throws CancellationException if it does not come any more
   */
  @Override
  public byte[] get(Digest digest) throws IOException {
    await(digest);
    return chunks.get(digest);
  }

  synchronized void arrived(Digest digest) {
    awaited.remove(digest);
    notifyAll();
  }

  /** What has not come until now does not come. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  private synchronized void await(Digest digest) {
    try {
      while (awaited.contains(digest)) {
        if (ended) {
          throw new CancellationException("chunk " + digest + " does not come");
        }
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }
}
