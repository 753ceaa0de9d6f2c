package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.remote.DirectoryRemote;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that send a byte and then nothing, as many as there is memory for. */
final class StalledPushersTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("team/app");
  private static final int BUFFERS = 2;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @Test
  void whoStallsGivesHisMemoryToOthersAndLosesNothing() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    try (DirectoryRemote store = new DirectoryRemote(directory, Long.MAX_VALUE)) {
      Registry registry =
          new Registry(
              store,
              InstantSource.system(),
              new SegmentBuffers(BUFFERS),
              new SegmentBuffers(BUFFERS));
      List<String> ids = new ArrayList<>();
      List<FutureTask<Long>> stalled = new ArrayList<>();
      for (int i = 0; i < BUFFERS; i++) {
        String id = registry.uploads().begin(REPOSITORY, ContentDigest.Algorithm.SHA256);
        ids.add(id);
        FutureTask<Long> one =
            new FutureTask<>(() -> registry.uploads().append(REPOSITORY, id, 0, stalling(over)));
        Thread.ofPlatform().daemon().start(one);
        stalled.add(one);
      }
      byte[] content = new byte[3 * SegmentBuffers.SEGMENT_BYTES];

      push(registry, content);

      over.countDown();
      for (FutureTask<Long> one : stalled) {
        assertThat(one.get(20, TimeUnit.SECONDS)).isEqualTo(2);
      }
      for (String id : ids) {
        byte[] both = {7, 7};
        ContentDigest digest = ContentDigest.Algorithm.SHA256.of(both);
        assertThat(registry.uploads().finish(REPOSITORY, id, digest).sizeBytes()).isEqualTo(2);
      }
    } finally {
      over.countDown();
    }
  }

  private static void push(Registry registry, byte[] content) throws Exception {
    String id = registry.uploads().begin(REPOSITORY, ContentDigest.Algorithm.SHA256);
    boolean[] given = {false};
    registry
        .uploads()
        .append(
            REPOSITORY,
            id,
            0,
            () -> {
              if (given[0]) {
                return null;
              }
              given[0] = true;
              return ByteBuffer.wrap(content);
            });
    registry.uploads().finish(REPOSITORY, id, ContentDigest.Algorithm.SHA256.of(content));
  }

  /** A byte, then nothing until it is over, then another. */
  private static Uploads.Body stalling(CountDownLatch over) {
    return new Uploads.Body() {
      private int given;

      @Override
      public @Nullable ByteBuffer next() {
        if (given == 2) {
          return null;
        }
        boolean late = given == 1 && !isOver(over);
        if (late) {
          return ByteBuffer.allocate(0);
        }
        given++;
        return ByteBuffer.wrap(new byte[] {7});
      }
    };
  }

  private static boolean isOver(CountDownLatch over) {
    try {
      return over.await(50, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
