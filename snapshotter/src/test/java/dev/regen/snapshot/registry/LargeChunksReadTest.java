package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blobs of a published snapshot, whose chunks are up to eight times as long as a segment. */
final class LargeChunksReadTest {
  private static final int CHUNKS = 12;
  private static final int BUFFERS = 40;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @Test
  void noMoreAreInMemoryThanTheirBytesFit() throws Exception {
    try (DirectoryRemote store = new DirectoryRemote(directory, Long.MAX_VALUE)) {
      List<Chunk> chunks = chunks(store);
      AtomicInteger fetched = new AtomicInteger();
      BlobReader reader = new BlobReader(counting(store, fetched), new SegmentBuffers(BUFFERS));
      AtomicInteger most = new AtomicInteger();
      long[] given = {0};

      reader.read(
          StoredBlob.Form.PLAIN,
          chunks,
          some -> {
            if (given[0] % Chunk.TAR_BYTES_MAX == 0) {
              // Whatever may be fetched ahead has been by then.
              sleep();
              int ahead = fetched.get() - (int) (given[0] / Chunk.TAR_BYTES_MAX);
              most.accumulateAndGet(ahead, Math::max);
            }
            given[0] += some.remaining();
          });

      assertThat(given[0]).isEqualTo((long) CHUNKS * Chunk.TAR_BYTES_MAX);
      // Each counts as nine: a little as it is stored, and eight unpacked.
      assertThat(most.get()).isBetween(2, BUFFERS / 9);
    }
  }

  private static List<Chunk> chunks(RemoteStore store) throws Exception {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      byte[] plain = new byte[Chunk.TAR_BYTES_MAX];
      plain[0] = (byte) i;
      byte[] stored = Zstd.compress(plain);
      Digest digest = Digest.of(ByteBuffer.wrap(stored));
      store.put(new ChunkName("q", "l", i, digest, stored.length), ByteBuffer.wrap(stored));
      chunks.add(new Chunk(digest, stored.length, plain.length));
    }
    return chunks;
  }

  private static RemoteStore counting(RemoteStore store, AtomicInteger gets) {
    return (RemoteStore)
        Proxy.newProxyInstance(
            RemoteStore.class.getClassLoader(),
            new Class<?>[] {RemoteStore.class},
            (_, method, arguments) -> {
              if (method.getName().equals("get")) {
                gets.incrementAndGet();
              }
              try {
                return method.invoke(store, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  private static void sleep() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
