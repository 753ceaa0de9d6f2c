package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.store.StoredBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CapturesTest {
  @TempDir Path directory;
  private Home home;

  @BeforeEach
  void openHome() throws Exception {
    home = new Home(new LocalDisk(), directory);
  }

  @Test
  void theHeadsDataIsDeletedOnceItHasLeftAndWhatIsSharedStays() throws Exception {
    home.capture(1, "a-b", Home.GOOD);
    home.capture(2, "b-c", Home.GOOD);
    SnapshotId head = home.queue().elements().getFirst().id();

    CaptureResult result = home.capture(3, "c-d", Home.GOOD);

    assertThat(result)
        .isInstanceOfSatisfying(
            CaptureResult.Stored.class,
            stored -> assertThat(stored.evicted()).containsExactly(head));
    assertThat(home.trees()).containsExactly("b-c", "c-d");
    assertThat(home.snapshots.list()).doesNotContain(head).hasSize(2);
    assertThat(home.chunks.missing(all("a", "b", "c", "d")))
        .containsExactly(NamedTrees.digest("a"));
  }

  @Test
  void theManifestSaysWhatTheRunWas() throws Exception {
    home.capture(1, "a", Home.FAILED);

    var snapshot = home.snapshots.read(home.queue().elements().getFirst().id());

    assertThat(snapshot.end()).isEqualTo(Home.FAILED);
    assertThat(snapshot.time()).isEqualTo(Instant.parse("2026-11-22T09:01:00Z"));
    assertThat(snapshot.notHeld()).containsExactly("a volume at /data");
    assertThat(snapshot.spec().string("Hostname")).isEqualTo("desk-1");
  }

  @Test
  void fiveRunsThatChangeNothingOnlyMoveTheTail() throws Exception {
    home.capture(1, "a", Home.GOOD);
    home.capture(2, "b", Home.GOOD);
    SnapshotId tail = home.queue().elements().getLast().id();

    for (int i = 3; i < 8; i++) {
      assertThat(home.capture(i, "b", Home.GOOD))
          .isEqualTo(
              new CaptureResult.Unchanged(tail, Instant.parse("2026-11-22T09:0" + i + ":00Z")));
    }

    assertThat(home.trees()).containsExactly("a", "b");
    assertThat(home.snapshots.read(tail).time()).isEqualTo(Instant.parse("2026-11-22T09:07:00Z"));
    assertThat(home.snapshots.read(tail).spec().string("Hostname")).isEqualTo("desk-7");
  }

  @Test
  void aCrashLoopOfFiftyRunsKeepsTheGoodStates() throws Exception {
    home.capture(1, "a", Home.GOOD);
    home.capture(2, "b", Home.GOOD);

    for (int i = 3; i < 53; i++) {
      home.capture(i, "abcdefgh".charAt(i % 8) + "-x", Home.FAILED);
    }

    assertThat(home.trees()).containsExactly("b", "e-x");
    Verified verified = home.captures.checks().verify(null);
    assertThat(verified.allWell()).isTrue();
    assertThat(verified.unreferencedChunks()).isZero();
  }

  @Test
  void aJobThatWasDoneIsRecognised() throws Exception {
    CaptureResult first = home.capture(1, "a", Home.GOOD);
    Home next = new Home(new LocalDisk(), directory);

    assertThat(next.capture(1, "a", Home.GOOD)).hasToString(first.toString());
    assertThat(next.trees()).containsExactly("a");
  }

  @Test
  void aJobWhoseSnapshotHasLeftIsRecognised() throws Exception {
    home.capture(1, "a", Home.GOOD);
    SnapshotId first = home.queue().elements().getFirst().id();
    home.captures.removals().remove(Home.DESK, first);

    assertThat(home.capture(1, "a", Home.GOOD)).isEqualTo(new CaptureResult.Superseded(first));
    assertThat(home.trees()).isEmpty();
  }

  @Test
  void aSnapshotThatWasDamagedIsTakenAgainFromItsTree() throws Exception {
    home.capture(1, "a", Home.GOOD);
    SnapshotId first = home.queue().elements().getFirst().id();
    Files.writeString(home.snapshots.file(first), "rubbish");

    assertThat(home.capture(1, "a", Home.GOOD)).isInstanceOf(CaptureResult.Stored.class);
    SnapshotId second = home.queue().elements().getLast().id();
    assertThat(second).isNotEqualTo(first);
    assertThat(home.snapshots.read(second).archive().chunks()).hasSize(1);
  }

  @Test
  void aFullDiskFailsTheCaptureAndLeavesAllAsItWas() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Home small = new Home(disk, Path.of("/home"));
    small.capture(1, "a", Home.GOOD);
    small.capture(2, "b", Home.GOOD);
    boolean done = false;
    for (long room = 0; !done; room += 50) {
      disk.limitRoom(room);
      try {
        small.capture(3, "c-d", Home.GOOD);
        done = true;
      } catch (RegenException.Refused e) {
        assertThat(e).hasMessageContaining("disk is full").hasMessageContaining("/trees/c-d");
        assertThat(small.trees()).as("with room for %d bytes", room).containsExactly("a", "b");
        disk.limitRoom(Long.MAX_VALUE);
        assertThat(small.chunks.missing(all("c", "d"))).as("what was put is gone").hasSize(2);
      }
    }
    assertThat(small.trees()).containsExactly("b", "c-d");
  }

  @Test
  void aCancelledCaptureLeavesNothingBehind() throws Exception {
    home.capture(1, "a", Home.GOOD);
    int[] asked = {0};

    assertThatThrownBy(() ->
            home.captures.capture(
                Home.layer(Home.DESK, 2, 2, "b-c"), Home.GOOD, Progress.NONE, () -> asked[0]++ > 0))
        .isInstanceOf(CancellationException.class);

    assertThat(home.trees()).containsExactly("a");
    assertThat(home.captures.checks().verify(null).unreferencedChunks()).isZero();
    assertThat(home.chunks.missing(all("b", "c"))).hasSize(2);
  }

  @Test
  void capturesOfManyQueuesAtOnceNeverLoseASharedChunk() throws Exception {
    List<Future<?>> workers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int worker = 0; worker < 4; worker++) {
        QueueName queue = new QueueName("desk-" + worker);
        int offset = worker;
        workers.add(threads.submit(() -> captureMany(queue, offset)));
      }
      for (Future<?> worker : workers) {
        worker.get();
      }
    }
    Verified verified = home.captures.checks().verify(null);
    assertThat(verified.problems()).isEmpty();
    assertThat(verified.snapshots()).isEqualTo(8);
    home.captures.removals().sweep();
    assertThat(home.captures.checks().verify(null).unreferencedChunks()).isZero();
  }

  @Test
  void aSweepKeepsWhatADamagedQueueMayStillName() throws Exception {
    home.capture(1, "a", Home.GOOD);
    Files.writeString(home.queues.file(Home.DESK), "rubbish");

    Swept swept = home.captures.removals().sweep();

    assertThat(swept.manifests()).isZero();
    assertThat(swept.chunks()).isZero();
    assertThat(swept.kept()).singleElement().asString().contains("queue.json");
    home.queues.rebuild(Home.DESK, home.snapshots).close();
    assertThat(home.trees()).containsExactly("a");
  }

  @Test
  void aSweepKeepsChunksWhileAManifestCannotBeRead() throws Exception {
    home.capture(1, "a", Home.GOOD);
    home.capture(2, "b", Home.GOOD);
    Files.writeString(home.snapshots.file(home.queue().elements().getFirst().id()), "rubbish");

    home.captures.removals().sweep();

    assertThat(home.chunks.missing(all("a", "b"))).isEmpty();
  }

  @Test
  void verifyNamesEveryDamagedChunkAndManifest() throws Exception {
    home.capture(1, "a-b", Home.GOOD);
    home.capture(2, "b-c", Home.GOOD);
    List<Element> elements = home.queue().elements();
    Path chunk = StoredBytes.flipBit(home.chunks, NamedTrees.digest("b"));
    Files.delete(home.snapshots.file(elements.getLast().id()));

    Verified verified = home.captures.checks().verify(Home.DESK);

    assertThat(verified.problems())
        .extracting(Verified.Problem::kind, Verified.Problem::snapshot)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple(
                Verified.Kind.CHUNK_DAMAGED, elements.getFirst().id()),
            org.assertj.core.groups.Tuple.tuple(
                Verified.Kind.MANIFEST_MISSING, elements.getLast().id()));
    assertThat(verified.problems()).anyMatch(p -> p.message().contains(chunk.toString()));
  }

  @Test
  void nothingIsCollectedWhileSomebodyReads() throws Exception {
    home.capture(1, "a", Home.GOOD);
    SnapshotId first = home.queue().elements().getFirst().id();
    try (Hold _ = home.captures.reading()) {
      home.captures.removals().remove(Home.DESK, first);
      assertThat(home.chunks.missing(all("a"))).isEmpty();
      assertThatThrownBy(() -> home.captures.removals().sweep())
          .isInstanceOf(RegenException.Refused.class);
    }
    home.captures.removals().sweep();
    assertThat(home.chunks.missing(all("a"))).hasSize(1);
  }

  @Test
  void aPinnedSnapshotOutlivesItsTurn() throws Exception {
    home.capture(1, "a", Home.GOOD);
    try (SnapshotQueue queue = home.queues.open(Home.DESK)) {
      queue.pin(queue.find("latest").id());
    }
    for (int i = 2; i < 6; i++) {
      home.capture(i, "abcdefg".substring(i, i + 1), Home.GOOD);
    }
    assertThat(home.trees()).containsExactly("a", "e", "f");
  }

  private Void captureMany(QueueName queue, int offset) throws IOException {
    for (int i = 0; i < 30; i++) {
      String tree = "abcdefgh".charAt((i + offset) % 8) + "-" + "abcdefgh".charAt((3 * i) % 8);
      End end = i % 5 == 0 ? Home.FAILED : Home.GOOD;
      home.captures.capture(Home.layer(queue, i, 2, tree), end, Progress.NONE, () -> false);
    }
    return null;
  }

  private static Set<dev.regen.snapshot.Digest> all(String... names) {
    Set<dev.regen.snapshot.Digest> digests = new java.util.LinkedHashSet<>();
    for (String name : names) {
      digests.add(NamedTrees.digest(name));
    }
    return digests;
  }
}
