package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.Placement;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.ShardedStore;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many chunks, of one reader, that are wanted of few servers. */
final class ServerTurnsTest {
  private static final int CHUNKS = 64;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @Test
  void eachOfTwoServersSendsFourMebibytesAtOnce() throws Exception {
    try (RemoteStore store = two()) {
      assertThat(mostAtOnce(store, 1 << 20, 8)).isEqualTo(8);
    }
  }

  @Test
  void oneThatIsLongerThanAllThatMayBeIsSentAlone() throws Exception {
    try (RemoteStore store = two()) {
      assertThat(mostAtOnce(store, 8 << 20, 2)).isEqualTo(2);
    }
  }

  @Test
  void smallOnesAreSentTogether() throws Exception {
    try (RemoteStore store = two()) {
      assertThat(mostAtOnce(store, 1000, CHUNKS)).isEqualTo(CHUNKS);
    }
  }

  @Test
  void oneServerAloneIsAskedForAll() throws Exception {
    try (RemoteStore store = one("a")) {
      assertThat(mostAtOnce(store, 1 << 20, CHUNKS)).isEqualTo(CHUNKS);
    }
  }

  /** How many calls are under way while none of them ends. */
  private static int mostAtOnce(RemoteStore store, int bytes, int expected) throws Exception {
    ServerTurns turns = new ServerTurns(store);
    CountDownLatch end = new CountDownLatch(1);
    Semaphore begun = new Semaphore(0);
    List<Future<Chunk>> calls = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (int i = 0; i < CHUNKS; i++) {
          Digest digest = Digest.of(ByteBuffer.wrap(new byte[] {(byte) i}));
          Chunk chunk = new Chunk(digest, bytes, bytes);
          calls.add(
              threads.submit(() ->
                  turns.take(
                      chunk,
                      () -> {
                        begun.release();
                        end.await();
                        return chunk;
                      })));
        }
        int first = begun.tryAcquire(expected, 10, TimeUnit.SECONDS) ? expected : 0;
        return begun.tryAcquire(200, TimeUnit.MILLISECONDS) ? first + 1 : first;
      } finally {
        end.countDown();
        for (Future<Chunk> call : calls) {
          call.get();
        }
      }
    }
  }

  private RemoteStore two() throws Exception {
    Placement placement =
        new Placement(
            List.of(
                new Placement.Server("http://a", 1, "a"), new Placement.Server("http://b", 1, "b")),
            1);
    return new ShardedStore(placement, List.of(one("a"), one("b")));
  }

  private RemoteStore one(String name) throws Exception {
    return new DirectoryRemote(directory.resolve(name), Long.MAX_VALUE);
  }
}
