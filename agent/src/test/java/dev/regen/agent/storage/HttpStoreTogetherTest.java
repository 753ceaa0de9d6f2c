package dev.regen.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.HttpStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunks that go in one call: one that is bad must not spoil, or take the place of, another. */
final class HttpStoreTogetherTest {
  private static final long SEED = 20261122;
  private static final int CHUNKS = 400;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<byte[]> chunks = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private StorageServer server;

  @SuppressWarnings("NullAway.Init")
  private HttpStore store;

  @BeforeEach
  void start() throws IOException {
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server =
        new StorageServer(
            new StorageOptions(
                new Listening(anywhere, null, null, null),
                directory.resolve("store"),
                Long.MAX_VALUE,
                null));
    store = new HttpStore(server.uri(), HttpStore.Options.DEFAULT);
    Random random = new Random(SEED);
    for (int i = 0; i < CHUNKS; i++) {
      byte[] chunk = new byte[1 + random.nextInt(i % 50 == 0 ? 600_000 : 20_000)];
      random.nextBytes(chunk);
      chunks.add(chunk);
    }
  }

  @AfterEach
  void stop() throws IOException {
    threads.shutdownNow();
    store.close();
    server.close();
  }

  @Test
  void eachGetsItsOwnBytesAndWhatIsWrongOrMissingFailsAlone() throws Exception {
    List<Future<Object>> puts =
        together(i -> {
          byte[] sent = chunks.get(i).clone();
          sent[0] ^= (byte) (i % 100 == 7 ? 1 : 0);
          store.put(name(i), ByteBuffer.wrap(sent));
          return i;
        });
    for (int i = 0; i < CHUNKS; i++) {
      if (i % 100 == 7) {
        assertThatThrownBy(puts.get(i)::get)
            .as("chunk %s, seed %s", i, SEED)
            .hasCauseInstanceOf(RegenException.BadInput.class);
      } else {
        puts.get(i).get();
      }
    }

    List<Future<Object>> gets =
        together(i -> store.get(digest(i), chunks.get(i).length + otherwise(i)));
    for (int i = 0; i < CHUNKS; i++) {
      Future<Object> got = gets.get(i);
      switch (i % 100) {
        case 7 -> assertThatThrownBy(got::get).hasCauseInstanceOf(RegenException.NotFound.class);
        case 9, 11 -> assertThatThrownBy(got::get).hasCauseInstanceOf(RegenException.Damaged.class);
        default -> assertThat(got.get()).as("chunk %s, seed %s", i, SEED).isEqualTo(chunks.get(i));
      }
    }
    assertThat(store.missing(List.of(digest(7), digest(8)))).containsExactly(digest(7));
  }

  /** How much longer, or shorter, than it is some chunk is thought to be. */
  private int otherwise(int i) {
    return switch (i % 100) {
      case 9 -> 1;
      case 11 -> 1 - chunks.get(i).length;
      default -> 0;
    };
  }

  private interface Work {
    Object with(int chunk) throws Exception;
  }

  /** With all chunks at one moment, so that most of them go together. */
  private List<Future<Object>> together(Work work) {
    CountDownLatch begin = new CountDownLatch(1);
    List<Future<Object>> all = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      int chunk = i;
      Callable<Object> one =
          () -> {
            begin.await();
            return work.with(chunk);
          };
      all.add(threads.submit(one));
    }
    begin.countDown();
    return all;
  }

  private Digest digest(int i) {
    return Digest.of(ByteBuffer.wrap(chunks.get(i)));
  }

  private ChunkName name(int i) {
    return new ChunkName("desk", "layer", i, digest(i), chunks.get(i).length);
  }
}
