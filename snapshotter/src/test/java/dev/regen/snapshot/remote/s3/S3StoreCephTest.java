package dev.regen.snapshot.remote.s3;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.RemoteStoreContract;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same against a real Ceph RADOS gateway, which {@code scripts/ceph-rgw} starts. */
@Tag("long")
final class S3StoreCephTest extends RemoteStoreContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static Ceph ceph;

  private static int prefixes;

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

  @Override
  protected RemoteStore open() throws IOException {
    use();
    return url(++prefixes).open(true);
  }

  @Test
  void ofHostsThatReplaceARecordAtOnceOneWins() throws Exception {
    use();
    StoreUrl url = url(++prefixes);
    try (RemoteStore first = url.open(true);
        RemoteStore second = url.open(true)) {
      assertThat(first.id()).isEqualTo(second.id());
      byte[] now = {0};
      assertThat(first.replaceRecord("tag", now, RemoteStore.ABSENT)).isTrue();
      for (int round = 1; round <= 20; round++) {
        List<Future<Boolean>> writers = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
          for (int writer = 0; writer < 4; writer++) {
            RemoteStore store = writer % 2 == 0 ? first : second;
            byte[] content = {(byte) round, (byte) writer};
            String tag = RemoteStore.tag(now);
            writers.add(threads.submit(() -> store.replaceRecord("tag", content, tag)));
          }
        }
        int won = 0;
        for (Future<Boolean> writer : writers) {
          won += writer.get() ? 1 : 0;
        }
        assertThat(won).as("round %d", round).isEqualTo(1);
        now = second.record("tag").orElseThrow();
      }
    }
  }

  private static void use() {
    ceph.use();
  }

  /** The two steps of a deletion go by the gateway's clock and by its lists. */
  @Test
  void whatNobodyNeedsIsMarkedThenGoesAndItsRoomComesBack() throws Exception {
    use();
    String prefix = "p" + ++prefixes;
    Duration lease = Duration.ofSeconds(1);
    List<byte[]> chunks = new ArrayList<>();
    for (int seed = 0; seed < 40; seed++) {
      chunks.add(bytes(seed, 100_000));
    }
    try (RemoteStore host = ceph.open(prefix, lease)) {
      List<Future<Void>> puts = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (byte[] chunk : chunks) {
          puts.add(
              threads.submit(() -> {
                host.put(name(digest(chunk), chunk.length), ByteBuffer.wrap(chunk));
                return null;
              }));
        }
      }
      for (Future<Void> put : puts) {
        put.get();
      }
    }
    List<Digest> unwanted = chunks.stream().skip(10).map(chunk -> digest(chunk)).toList();
    long before = packBytes(prefix);
    try (RemoteStore collector = ceph.open(prefix, lease)) {
      assertThat(collector.delete(unwanted)).hasSameElementsAs(unwanted);
      assertThat(packBytes(prefix)).isEqualTo(before);
      // A list's times have whole seconds.
      Thread.sleep(lease.multipliedBy(3));

      assertThat(collector.delete(unwanted)).isEmpty();

      assertThat(packBytes(prefix)).isLessThan(before / 2);
      for (byte[] chunk : chunks.subList(0, 10)) {
        assertThat(collector.get(digest(chunk), chunk.length)).isEqualTo(chunk);
      }
      assertThat(collector.missing(unwanted)).hasSameElementsAs(unwanted);
    }
  }

  private static long packBytes(String prefix) throws IOException {
    try (Bucket bucket = ceph.bucket(prefix)) {
      return bucket.list(StoredPacks.PACKS, 1000).stream().mapToLong(Bucket.Listed::size).sum();
    }
  }

  private static StoreUrl url(int prefix) {
    return ceph.url("p" + prefix);
  }
}
