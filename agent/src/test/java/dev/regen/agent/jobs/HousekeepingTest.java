package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hot trees of some 100 kB, real directories, under budgets that hold all, some or none of them.
 */
final class HousekeepingTest {
  private static final int FILE_BYTES = 100_000;
  private static final Duration IN_USE = Duration.ofMinutes(3);

  @TempDir private Path home;
  private SnapshotQueues queues;
  private Stores stores;
  private Staging staging;

  @BeforeEach
  void makeStaging() throws IOException {
    queues = new SnapshotQueues(home.resolve("queues"));
    stores = new Stores(new LocalDisk(), home.resolve("stores"));
    staging = new Staging(Files.createDirectory(home.resolve(Staging.NAME)));
    stores.remember(staging);
  }

  @Test
  void treeThatNoRunWillStartFromGoes() throws Exception {
    hotTree(id(1));
    queueWithTail("desk", id(2));
    hotTree(id(2));

    keep(10 * FILE_BYTES, Instant.now().plus(Duration.ofHours(1)));

    assertThat(trees()).containsExactly(id(2));
  }

  @Test
  void overTheBudgetTheTreeUsedLongestAgoGoes() throws Exception {
    for (int i = 1; i <= 3; i++) {
      queueWithTail("desk" + i, id(i));
      hotTree(id(i));
    }

    keep(5 * FILE_BYTES / 2, Instant.now().plus(Duration.ofHours(1)));

    assertThat(trees()).containsExactly(id(2), id(3));
  }

  @Test
  void treeThatARestoreChoseStaysWhateverTheBudget() throws Exception {
    queueWithTail("desk", id(1));
    try (SnapshotQueue queue = queues.open(new QueueName("desk"))) {
      queue.choose(id(1));
    }
    hotTree(id(1));

    keep(0, Instant.now().plus(Duration.ofHours(1)));

    assertThat(trees()).containsExactly(id(1));
  }

  @Test
  void treeThatAStartMayBeMovingInStaysWhateverTheBudget() throws Exception {
    queueWithTail("desk", id(1));
    hotTree(id(1));

    keep(0, Instant.now().plus(IN_USE).minusSeconds(60));

    assertThat(trees()).containsExactly(id(1));
  }

  @Test
  void treeThatAStartMayBeMovingInStaysThoughItsQueueHasANewerSnapshot() throws Exception {
    hotTree(id(1));
    hotTree(id(2));
    queueWithTail("desk", id(3));
    HotTrees hotTrees = hotTrees();
    hotTrees.prepare(snapshot(id(1)), staging, List.of(), List.of(), Progress.NONE);

    keep(hotTrees, 10 * FILE_BYTES, Instant.now().plus(IN_USE).minusSeconds(60));
    assertThat(trees()).containsExactly(id(1));

    keep(hotTrees, 10 * FILE_BYTES, Instant.now().plus(IN_USE).plusSeconds(60));
    assertThat(trees()).isEmpty();
  }

  @Test
  void nothingGoesWhileAQueueCannotBeRead() throws Exception {
    queueWithTail("desk", id(1));
    Files.writeString(queues.file(new QueueName("desk")), "damaged");
    hotTree(id(1));

    keep(10 * FILE_BYTES, Instant.now().plus(Duration.ofHours(1)));

    assertThat(trees()).containsExactly(id(1));
  }

  private void keep(long budgetBytes, Instant now) throws Exception {
    keep(hotTrees(), budgetBytes, now);
  }

  private HotTrees hotTrees() throws IOException {
    PackedChunkStore chunks = new PackedChunkStore(new LocalDisk(), home.resolve("chunks"));
    return new HotTrees(
        new LocalDisk(),
        new LayerRestorer(new ChunkReader(chunks), 1),
        new SnapshotStore(home.resolve("snapshots")),
        HotTrees.Unpacked.UNHEARD);
  }

  private void keep(HotTrees hotTrees, long budgetBytes, Instant now) throws Exception {
    new Housekeeping(
            queues, hotTrees, () -> {}, stores, new Views(home), budgetBytes, IN_USE, () -> now)
        .tidy();
  }

  private static Snapshot snapshot(SnapshotId id) {
    return new Snapshot(
        id,
        new QueueName("desk"),
        Instant.parse("2026-11-22T09:00:00Z"),
        new End(End.Reason.EXITED, 0, End.Good.YES, Duration.ZERO),
        "c".repeat(64),
        "sha256:image",
        "image",
        new Archive(List.of(), List.of(), 0, 0, 0, 0, List.of(), 0),
        List.of(),
        new JsonObject());
  }

  private void hotTree(SnapshotId id) throws Exception {
    // Times of use must differ by more than a tick of the kernel's clock.
    Thread.sleep(20);
    Path tree = Files.createDirectory(staging.hot(id.value()));
    Files.write(tree.resolve("file"), new byte[FILE_BYTES]);
  }

  private void queueWithTail(String name, SnapshotId id) throws IOException {
    try (SnapshotQueue queue = queues.openOrCreate(new QueueName(name), 5)) {
      queue.append(
          new Element(
              id, Instant.now(), new End(End.Reason.EXITED, 0, End.Good.YES, Duration.ZERO)));
    }
  }

  private List<SnapshotId> trees() throws IOException {
    try (Stream<Path> all = Files.list(staging.directory())) {
      return all.map(path -> String.valueOf(path.getFileName()))
          .sorted()
          .map(name -> new SnapshotId(name.substring(Staging.HOT.length())))
          .toList();
    }
  }

  private static SnapshotId id(int number) {
    return new SnapshotId("%032x".formatted(number));
  }
}
