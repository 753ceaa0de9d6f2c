package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.s3.Ceph;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two managers over one bucket of a real Ceph gateway, whose clients want the same tag. */
@Tag("long")
final class TwoManagersOnCephTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("team/app");
  private static final int ROUNDS = 10;
  private static final int WRITERS_EACH = 4;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static Ceph ceph;

  @BeforeAll
  static void start() throws Exception {
    ceph = new Ceph(directory);
  }

  @AfterAll
  static void stop() throws Exception {
    if (ceph != null) {
      ceph.close();
    }
  }

  @Test
  void ofWritersOfAnImmutableTagOneWins() throws Exception {
    try (RemoteStore one = open("immutable");
        RemoteStore other = open("immutable")) {
      List<Registry> managers = List.of(registry(one), registry(other));
      for (int round = 0; round < ROUNDS; round++) {
        TagName tag = new TagName("v" + round);
        AtomicInteger refused = new AtomicInteger();
        Set<ContentDigest> won = ConcurrentHashMap.newKeySet();

        race(
            managers,
            (manager, digest) -> {
              try {
                manager.tags().set(REPOSITORY, tag, digest, true);
                won.add(digest);
              } catch (RegistryException e) {
                assertThat(e.code()).isEqualTo(RegistryException.Code.DENIED);
                refused.incrementAndGet();
              }
            });

        assertThat(won).hasSize(1);
        assertThat(refused).hasValue(2 * WRITERS_EACH - 1);
        for (Registry manager : managers) {
          assertThat(manager.tags().find(REPOSITORY, tag)).contains(won.iterator().next());
        }
      }
    }
  }

  @Test
  void writersOfOneTagAllSucceedAndBothManagersSeeTheLast() throws Exception {
    try (RemoteStore one = open("changing");
        RemoteStore other = open("changing")) {
      List<Registry> managers = List.of(registry(one), registry(other));
      TagName tag = new TagName("latest");
      Set<ContentDigest> all = ConcurrentHashMap.newKeySet();
      for (int round = 0; round < ROUNDS; round++) {
        race(
            managers,
            (manager, digest) -> {
              manager.tags().set(REPOSITORY, tag, digest, false);
              all.add(digest);
            });

        ContentDigest last = managers.getFirst().tags().find(REPOSITORY, tag).orElseThrow();
        assertThat(all).contains(last);
        assertThat(managers.getLast().tags().find(REPOSITORY, tag)).contains(last);
      }
      // Each was the last at some moment: the revisions count them.
      assertThat(managers.getFirst().tags().all(REPOSITORY).get(tag))
          .extracting(Tags.Revision::number)
          .isEqualTo(ROUNDS * 2 * WRITERS_EACH);
    }
  }

  private interface Writer {
    void write(Registry manager, ContentDigest digest) throws IOException;
  }

  private static void race(List<Registry> managers, Writer writer) throws Exception {
    CountDownLatch begin = new CountDownLatch(1);
    List<Throwable> failures = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2 * WRITERS_EACH; i++) {
      Registry manager = managers.get(i % 2);
      byte[] text = (System.nanoTime() + " " + i).getBytes(StandardCharsets.UTF_8);
      ContentDigest digest = ContentDigest.Algorithm.SHA256.of(text);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  begin.await();
                  writer.write(manager, digest);
                } catch (Throwable e) {
                  synchronized (failures) {
                    failures.add(e);
                  }
                }
              }));
    }
    begin.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }

  private static RemoteStore open(String prefix) {
    ceph.use();
    return ceph.open(prefix, Duration.ofMinutes(10));
  }

  private static Registry registry(RemoteStore store) {
    return new Registry(
        store, InstantSource.system(), new SegmentBuffers(4), new SegmentBuffers(4));
  }
}
