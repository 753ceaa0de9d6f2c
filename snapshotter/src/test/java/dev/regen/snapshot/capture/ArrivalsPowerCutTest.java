package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.PowerCuts;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.queue.Element;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Cuts the power, or kills the process, at every file operation of a snapshot's arrival in a full
 * queue.
 */
final class ArrivalsPowerCutTest {
  private static final Path DIRECTORY = Path.of("/home");
  private static final List<String> BEFORE = List.of("a-b", "b-c");
  private static final List<String> AFTER = List.of("b-c", "c-d");

  private Element pushed;
  private byte[] manifest;

  @BeforeEach
  void makeSnapshotElsewhere() throws Exception {
    Home elsewhere = open(new FaultyDisk());
    elsewhere.capture(9, "c-d", Home.GOOD);
    pushed = elsewhere.queue().elements().getFirst();
    manifest = elsewhere.snapshots.stored(pushed.id());
  }

  @Test
  void aFirstSnapshotArrivesWholeOrNotAtAll() throws Exception {
    PowerCuts.everywhere(
        disk -> {},
        disk -> arrive(open(disk)),
        (disk, finished) -> {
          List<String> arrived = List.of("c-d");
          assertThat(open(disk).trees()).isIn(finished ? arrived : List.of(), arrived);
          finishesAndIsClean(disk, arrived);
        });
  }

  @Test
  void aSnapshotArrivesInAFullQueueWholeOrNotAtAllAndNothingIsLost() throws Exception {
    PowerCuts.everywhere(
        ArrivalsPowerCutTest::fill,
        disk -> arrive(open(disk)),
        (disk, finished) -> {
          assertThat(open(disk).trees()).isIn(finished ? AFTER : BEFORE, AFTER);
          finishesAndIsClean(disk, AFTER);
        });
  }

  @Test
  void whatHasArrivedIsNotSweptAway() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    fill(disk);
    Home home = open(disk);
    home.captures.arrivals().begin(Home.DESK, pushed.id(), manifest);
    put(home, "d");
    home.chunks.force();

    Home next = open(disk.nextProcess());
    next.captures.removals().sweep();

    Snapshot snapshot = next.captures.arrivals().begin(Home.DESK, pushed.id(), manifest);
    assertThat(next.captures.arrivals().missing(snapshot)).isEmpty();
  }

  @Test
  void aChunkThatAnotherSnapshotGaveUpMeanwhileStays() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    fill(disk);
    Home home = open(disk);
    Snapshot snapshot = home.captures.arrivals().begin(Home.DESK, pushed.id(), manifest);
    assertThat(home.captures.arrivals().missing(snapshot)).containsExactly(NamedTrees.digest("d"));

    home.captures.removals().remove(Home.DESK, home.queue().elements().getLast().id());

    assertThat(home.captures.arrivals().missing(snapshot)).containsExactly(NamedTrees.digest("d"));
    assertThat(home.trees()).containsExactly("a-b");
  }

  @Test
  void withAChunkMissingNothingIsAppended() throws Exception {
    Home home = open(new FaultyDisk());
    Snapshot snapshot = home.captures.arrivals().begin(Home.DESK, pushed.id(), manifest);
    put(home, "c");
    assertThatThrownBy(() -> home.captures.arrivals().land(snapshot, pushed, 5))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("did not reach");
    assertThat(home.queues.list()).isEmpty();
    assertThat(home.snapshots.list()).isEmpty();
  }

  @Test
  void aManifestOfAnotherSnapshotOrQueueIsNoneOfThis() throws Exception {
    Home home = open(new FaultyDisk());
    Arrivals arrivals = home.captures.arrivals();
    assertThatThrownBy(
            () -> arrivals.begin(Home.DESK, dev.regen.snapshot.SnapshotId.random(), manifest))
        .isInstanceOf(RegenException.Damaged.class);
    assertThatThrownBy(
            () -> arrivals.begin(new dev.regen.runtime.QueueName("other"), pushed.id(), manifest))
        .isInstanceOf(RegenException.Damaged.class);
    byte[] cut = java.util.Arrays.copyOf(manifest, manifest.length - 1);
    assertThatThrownBy(() -> arrivals.begin(Home.DESK, pushed.id(), cut))
        .isInstanceOf(RegenException.Damaged.class);
    home.captures.removals().sweep();
    assertThat(home.captures.checks().verify(null).allWell()).isTrue();
  }

  private void arrive(Home home) throws IOException {
    Arrivals arrivals = home.captures.arrivals();
    Snapshot snapshot = arrivals.begin(Home.DESK, pushed.id(), manifest);
    for (String name : List.of("c", "d")) {
      if (arrivals.missing(snapshot).contains(NamedTrees.digest(name))) {
        put(home, name);
      }
    }
    arrivals.land(snapshot, pushed, 2);
  }

  private static void put(Home home, String name) throws IOException {
    Digest digest = NamedTrees.digest(name);
    home.chunks.put(digest, ByteBuffer.wrap(NamedTrees.bytes(name)));
    assertThat(home.chunks.missing(Set.of(digest))).isEmpty();
  }

  private void finishesAndIsClean(FaultyDisk disk, List<String> trees) throws Exception {
    Home home = open(disk);
    home.captures.removals().sweep();
    arrive(home);
    assertThat(home.trees()).isEqualTo(trees);
    Verified verified = home.captures.checks().verify(null);
    assertThat(verified.problems()).isEmpty();
    assertThat(verified.unreferencedManifests()).isZero();
    assertThat(verified.unreferencedChunks()).isZero();
  }

  private static void fill(FaultyDisk disk) throws Exception {
    Home home = open(disk);
    home.capture(1, "a-b", Home.GOOD);
    home.capture(2, "b-c", Home.GOOD);
  }

  private static Home open(FaultyDisk disk) throws Exception {
    return new Home(disk, DIRECTORY);
  }
}
