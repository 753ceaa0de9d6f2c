package dev.regen.snapshot.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.PowerCuts;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Cuts the power at every file operation of every change of a queue. */
final class SnapshotQueuePowerCutTest {
  private static final Path DIRECTORY = Path.of("/home/queues");
  private static final QueueName DESK = new QueueName("desk");

  @Test
  void aFirstQueueIsThereWithItsLengthOrNotAtAll() throws Exception {
    PowerCuts.everywhere(
        disk -> {},
        disk -> new SnapshotQueues(disk, DIRECTORY).openOrCreate(DESK, 7).close(),
        (disk, finished) -> {
          SnapshotQueues queues = new SnapshotQueues(disk, DIRECTORY);
          if (finished) {
            assertThat(queues.list()).containsExactly(DESK);
          }
          if (queues.exists(DESK)) {
            assertThat(queues.look(DESK)).isEqualTo(QueueContent.empty(DESK, 7));
          }
        });
  }

  @Test
  void anAppendToAFullQueueHappensWholeOrNotAtAll() throws Exception {
    isWholeOrAbsent(queue -> queue.append(Elements.good(4), "job-4"));
  }

  @Test
  void aMovedTailIsMovedWholeOrNotAtAll() throws Exception {
    isWholeOrAbsent(queue -> queue.touchTail(Elements.time(9), Elements.good(9).end(), "job-9"));
  }

  @Test
  void aShorterQueueIsShorterOrAsItWas() throws Exception {
    isWholeOrAbsent(queue -> queue.keep(1));
  }

  @Test
  void aRemovedElementIsGoneOrThere() throws Exception {
    isWholeOrAbsent(queue -> queue.remove(Elements.id(2)));
  }

  @Test
  void aPinAndAChoiceAreThereOrNot() throws Exception {
    isWholeOrAbsent(queue -> queue.pin(Elements.id(1)));
    isWholeOrAbsent(queue -> queue.choose(Elements.id(1)));
  }

  @Test
  void aRebuiltQueueTakesTheOldOnesPlaceInOneStep() throws Exception {
    PowerCuts.everywhere(
        SnapshotQueuePowerCutTest::fill,
        disk -> {
          var snapshots = new SnapshotStore(disk, Path.of("/home/snapshots"), Keys.NONE);
          new SnapshotQueues(disk, DIRECTORY).rebuild(DESK, snapshots).close();
        },
        (disk, finished) -> assertThat(look(disk).elements().size()).isIn(finished ? 0 : 3, 0));
  }

  @FunctionalInterface
  private interface Change {
    void apply(SnapshotQueue queue) throws IOException;
  }

  private static void isWholeOrAbsent(Change change) throws Exception {
    FaultyDisk healthy = new FaultyDisk();
    fill(healthy);
    QueueContent before = look(healthy);
    apply(change, healthy);
    QueueContent after = look(healthy);
    assertThat(after).isNotEqualTo(before);

    PowerCuts.everywhere(
        SnapshotQueuePowerCutTest::fill,
        disk -> apply(change, disk),
        (disk, finished) -> {
          if (finished) {
            assertThat(look(disk)).isEqualTo(after);
          } else {
            assertThat(look(disk)).isIn(before, after);
          }
        });
  }

  private static void apply(Change change, Disk disk) throws IOException {
    try (SnapshotQueue queue = new SnapshotQueues(disk, DIRECTORY).open(DESK)) {
      change.apply(queue);
    }
  }

  private static void fill(Disk disk) throws IOException {
    try (SnapshotQueue queue = new SnapshotQueues(disk, DIRECTORY).openOrCreate(DESK, 3)) {
      for (int i = 1; i <= 3; i++) {
        queue.append(Elements.good(i), "job-" + i);
      }
    }
  }

  private static QueueContent look(Disk disk) throws IOException {
    return new SnapshotQueues(disk, DIRECTORY).look(DESK);
  }
}
