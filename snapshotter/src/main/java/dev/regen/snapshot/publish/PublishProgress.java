package dev.regen.snapshot.publish;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.registry.StoredBlob;
import dev.regen.snapshot.transfer.TransferProgress;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * Counts what is read of all layers, and ends it where nobody wants it any more. For one thread at
 * a time.
 */
final class PublishProgress {
  private final TransferProgress told;
  private long chunks;
  private long bytes;
  private Iterator<Integer> lengths = Collections.emptyIterator();
  private long leftOfChunk;

  PublishProgress(TransferProgress told) {
    this.told = told;
  }

  /** A layer is read from now on. */
  void begin(StoredBlob.Form form, List<Chunk> layer) {
    check();
    lengths = layer.stream().map(form::bytes).iterator();
    leftOfChunk = 0;
  }

  /** So much more of the layer was read. */
  void read(int more) {
    check();
    bytes += more;
    leftOfChunk -= more;
    while (leftOfChunk < 0 && lengths.hasNext()) {
      leftOfChunk += lengths.next();
      chunks++;
    }
    told.done(chunks, bytes);
  }

  private void check() {
    if (told.cancelled()) {
      throw new CancellationException("cancelled; nothing was published");
    }
  }
}
