package dev.regen.snapshot.publish;

import com.github.luben.zstd.Zstd;
import dev.regen.runtime.Futures;
import dev.regen.snapshot.registry.BlobReader;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Uploads;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A layer packed while it is read, in members of a mebibyte each, two at once: members of gzip and
 * frames of zstd may follow one another, and equal layers become equal bytes. For one thread, which
 * uploads it.
 *
 * <p>Sources: RFC 1952, 2.2, "File format"; RFC 8878, 3.1, "Frames".
 */
final class PackedLayer implements Uploads.Body, AutoCloseable {
  private static final int MEMBER_BYTES = 1 << 20;
  private static final int AT_ONCE = 2;

  /** Half as slow as the usual 6, and a few per cent larger. */
  private static final int GZIP_LEVEL = 4;

  private static final int ZSTD_LEVEL = 3;

  private static final byte[] END = {};

  private final LayerForm form;
  private final MessageDigest plain = ContentDigest.Algorithm.SHA256.hasher();
  private final MessageDigest packed = ContentDigest.Algorithm.SHA256.hasher();
  private final ExecutorService packers = Executors.newFixedThreadPool(AT_ONCE);
  private final BlockingQueue<Future<byte[]>> members = new ArrayBlockingQueue<>(AT_ONCE);
  private final FutureTask<Boolean> reading;
  private final Thread reader;
  private byte[] member = new byte[MEMBER_BYTES];
  private int memberBytes;
  private long packedBytes;
  private boolean ended;

  /** Gives a layer's plain bytes to a sink, to their end. */
  @FunctionalInterface
  interface Plain {
    void read(BlobReader.Sink sink) throws IOException;
  }

  PackedLayer(LayerForm form, Plain layer) {
    this.form = form;
    reading =
        new FutureTask<>(() -> {
          read(layer);
          return true;
        });
    reader = Thread.ofVirtual().name("publish-pack").start(this::readToItsEnd);
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    if (ended) {
      return null;
    }
    byte[] bytes;
    try {
      bytes = Futures.get(members.take());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    if (bytes.length == 0) {
      ended = true;
      Futures.get(reading);
      return null;
    }
    packed.update(bytes);
    packedBytes += bytes.length;
    return ByteBuffer.wrap(bytes);
  }

  /** Of what {@link #next} gave, after its end. */
  ContentDigest packedDigest() {
    return ContentDigest.Algorithm.SHA256.of(packed);
  }

  /** Of the plain tar, after the end. */
  ContentDigest plainDigest() {
    return ContentDigest.Algorithm.SHA256.of(plain);
  }

  long packedBytes() {
    return packedBytes;
  }

  @Override
  public void close() {
    reader.interrupt();
    packers.shutdownNow();
    packers.close();
  }

  private void readToItsEnd() {
    reading.run();
    try {
      // Behind all members; why it may have failed the task knows.
      members.put(CompletableFuture.completedFuture(END));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Nobody waits for it.
    }
  }

  private void read(Plain layer) throws IOException {
    layer.read(some -> {
      plain.update(some.duplicate());
      while (some.hasRemaining()) {
        int count = Math.min(some.remaining(), MEMBER_BYTES - memberBytes);
        some.get(member, memberBytes, count);
        memberBytes += count;
        if (memberBytes == MEMBER_BYTES) {
          pack();
        }
      }
    });
    if (memberBytes > 0) {
      pack();
    }
  }

  private void pack() throws IOException {
    byte[] full = memberBytes == MEMBER_BYTES ? member : Arrays.copyOf(member, memberBytes);
    member = new byte[MEMBER_BYTES];
    memberBytes = 0;
    try {
      members.put(packers.submit(() -> packed(full)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private byte[] packed(byte[] bytes) throws IOException {
    return switch (form) {
      case GZIP -> gzip(bytes);
      case ZSTD -> Zstd.compress(bytes, ZSTD_LEVEL);
      case TAR -> bytes;
    };
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 2);
    try (OutputStream gzip = new Gzip(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** As Java's, at another level. */
  private static final class Gzip extends GZIPOutputStream {
    Gzip(OutputStream out) throws IOException {
      super(out);
      def.setLevel(GZIP_LEVEL);
    }
  }
}
