package dev.regen.snapshot.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.SnapshotStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SnapshotQueuesTest {
  private static final QueueName DESK = new QueueName("desk");

  @TempDir Path home;
  private SnapshotQueues queues;

  @BeforeEach
  void openQueues() throws Exception {
    queues = new SnapshotQueues(home.resolve("queues"));
  }

  @Test
  void aFirstRunMakesAnEmptyQueue() throws Exception {
    try (SnapshotQueue queue = queues.openOrCreate(DESK, 5)) {
      assertThat(queue.elements()).isEmpty();
      assertThat(queue.keep()).isEqualTo(5);
    }
    assertThat(queues.list()).containsExactly(DESK);
  }

  @Test
  void aQueueThatIsNotThereIsNotFound() {
    assertThatThrownBy(() -> queues.open(DESK))
        .isInstanceOf(RegenException.NotFound.class)
        .hasMessageContaining("desk");
  }

  @Test
  void whatWasChangedIsReadAgain() throws Exception {
    Element mixed = Elements.good(3).with(Elements.good(3).end().asInconsistent());
    try (SnapshotQueue queue = queues.openOrCreate(DESK, 5)) {
      queue.append(Elements.good(1), "one");
      queue.append(Elements.failed(2), "two");
      queue.append(mixed, "three");
      queue.pin(Elements.id(1));
      queue.choose(Elements.id(2));
    }
    QueueContent read = new SnapshotQueues(home.resolve("queues")).look(DESK);

    assertThat(read.elements())
        .containsExactly(Elements.good(1).pinned(true), Elements.failed(2), mixed);
    assertThat(read.chosen()).isEqualTo(Elements.id(2));
    assertThat(read.done("one")).contains(new JobDone("one", Elements.id(1), true));
  }

  @Test
  void aLengthSetByHandStaysUntilTheLabelChanges() throws Exception {
    queues.openOrCreate(DESK, 5).close();
    try (SnapshotQueue queue = queues.open(DESK)) {
      queue.keep(2);
    }
    queues.openOrCreate(DESK, 5).close();
    assertThat(queues.look(DESK).keep()).isEqualTo(2);

    queues.openOrCreate(DESK, 9).close();
    assertThat(queues.look(DESK).keep()).isEqualTo(9);
  }

  @Test
  void writersOfOneQueueTakeTurnsAndLoseNothing() throws Exception {
    List<Future<?>> writers = new ArrayList<>();
    queues.openOrCreate(DESK, 1000).close();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int writer = 0; writer < 4; writer++) {
        int first = 1 + writer * 10;
        writers.add(
            threads.submit(() -> {
              for (int i = first; i < first + 10; i++) {
                try (SnapshotQueue queue = new SnapshotQueues(home.resolve("queues")).open(DESK)) {
                  queue.append(Elements.good(i), null);
                }
              }
              return null;
            }));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
    assertThat(queues.look(DESK).elements()).hasSize(40);
  }

  @Test
  void everyFlippedByteOfAQueueIsNoticed() throws Exception {
    try (SnapshotQueue queue = queues.openOrCreate(DESK, 5)) {
      queue.append(Elements.good(1), "one");
    }
    Path file = queues.file(DESK);
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      Files.write(file, bad);
      assertThatThrownBy(() -> queues.look(DESK))
          .as("byte %d", i)
          .isInstanceOf(RegenException.class);
    }
  }

  @Test
  void aDamagedQueueSaysWhereItIsAndWhatHelps() throws Exception {
    queues.openOrCreate(DESK, 5).close();
    Files.writeString(queues.file(DESK), "{\"version\":1,");

    assertThatThrownBy(() -> queues.open(DESK))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(queues.file(DESK).toString())
        .hasMessageContaining("regen verify desk --repair");
  }

  @Test
  void aQueueOfANewerRegenIsRefusedNotGuessed() throws Exception {
    queues.openOrCreate(DESK, 5).close();
    String text = Files.readString(queues.file(DESK));
    Files.writeString(queues.file(DESK), text.replace("\"version\":1", "\"version\":3"));

    assertThatThrownBy(() -> queues.look(DESK))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("version 3");
  }

  @Test
  void aRebuiltQueueKeepsTheDamagedFile() throws Exception {
    queues.openOrCreate(DESK, 5).close();
    Files.writeString(queues.file(DESK), "rubbish");

    queues.rebuild(DESK, new SnapshotStore(home.resolve("snapshots"))).close();

    assertThat(queues.look(DESK).elements()).isEmpty();
    try (var files = Files.list(home.resolve("queues/desk"))) {
      Path aside =
          files.filter(f -> f.getFileName().toString().contains(".damaged-")).findFirst().get();
      assertThat(aside).hasContent("rubbish");
    }
  }
}
