package dev.regen.snapshot.publish;

import dev.regen.runtime.Futures;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.registry.BlobReader;
import dev.regen.snapshot.registry.StoredBlob;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.FutureTask;

/**
 * What chunks hold, as a stream: a thread of its own reads them, a few pieces ahead. What that
 * fails with, {@link #read} throws.
 */
final class BlobInput extends InputStream {
  private static final int PIECES_AHEAD = 4;
  private static final byte[] END = {};

  private final BlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(PIECES_AHEAD);
  private final FutureTask<Boolean> reading;
  private final Thread reader;
  private byte[] piece = END;
  private int at;
  private boolean ended;

  BlobInput(BlobReader blobs, List<Chunk> chunks, PublishProgress progress) {
    progress.begin(StoredBlob.Form.PLAIN, chunks);
    reading =
        new FutureTask<>(() -> {
          blobs.read(
              StoredBlob.Form.PLAIN,
              chunks,
              some -> {
                progress.read(some.remaining());
                take(some);
              });
          return true;
        });
    reader = Thread.ofVirtual().name("publish-read").start(this::readToItsEnd);
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
    int count = Math.min(available(), length);
    if (count == 0) {
      return -1;
    }
    System.arraycopy(piece, at, into, offset, count);
    at += count;
    return count;
  }

  /** Waits, and is 0 at the end alone: by that Java's gzip tells whether a member follows. */
  @Override
  public int available() throws IOException {
    while (at == piece.length && !ended) {
      try {
        piece = pieces.take();
        at = 0;
        ended = piece.length == 0;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
    }
    if (ended) {
      Futures.get(reading);
    }
    return piece.length - at;
  }

  @Override
  public void close() {
    reader.interrupt();
  }

  private void readToItsEnd() {
    reading.run();
    try {
      put(END); // Why it may have failed the task knows.
    } catch (InterruptedIOException e) {
      Thread.currentThread().interrupt(); // Nobody waits for it.
    }
  }

  private void take(ByteBuffer some) throws InterruptedIOException {
    byte[] copy = new byte[some.remaining()];
    some.get(copy);
    if (copy.length > 0) {
      put(copy);
    }
  }

  private void put(byte[] some) throws InterruptedIOException {
    try {
      pieces.put(some);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
