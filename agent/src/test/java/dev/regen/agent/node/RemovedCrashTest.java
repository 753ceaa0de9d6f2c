package dev.regen.agent.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.jobs.Events;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.CrashingDisk;
import dev.regen.snapshot.End;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hazard: an agent dies in the middle of a removal, and the manager never hears that something is
 * gone, or hears so of what is still there.
 */
final class RemovedCrashTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final SnapshotId ONE = new SnapshotId("1".repeat(32));
  private static final SnapshotId TWO = new SnapshotId("2".repeat(32));
  private static final Instant NINE = Instant.parse("2026-11-23T09:00:00Z");
  private static final End END = new End(End.Reason.UNKNOWN, null, End.Good.UNKNOWN, null);
  private static final int CHANGES_MAX = 100;

  @TempDir private Path directory;

  private interface Removing {
    void remove(SnapshotQueues queues) throws IOException;
  }

  private static final class Dead extends Error {
    private static final long serialVersionUID = 1;
  }

  @Test
  void snapshotThatIsGoneIsToldOfWhereverTheAgentDies() throws Exception {
    everywhere(
        queues -> {
          try (SnapshotQueue queue = queues.open(DESK)) {
            queue.remove(ONE);
          }
        },
        ONE.value());
  }

  @Test
  void queueThatIsGoneIsToldOfWhereverTheAgentDies() throws Exception {
    everywhere(queues -> queues.remove(DESK), null);
  }

  private void everywhere(Removing removing, @Nullable String snapshot) throws Exception {
    boolean died = true;
    for (int crashAt = 1; died; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      Path home = directory.resolve("crash-" + crashAt);
      fill(home);
      died = dies(home, crashAt, removing);

      boolean there = holds(home, DESK.value(), snapshot);
      assertThat(told(home, snapshot)).as("at change %d", crashAt).isEqualTo(!there);
      assertThat(there).as("at change %d", crashAt).isIn(false, died);
    }
  }

  private static void fill(Path home) throws IOException {
    SnapshotQueues queues = new SnapshotQueues(new LocalDisk(), home.resolve("queues"));
    try (SnapshotQueue queue = queues.openOrCreate(DESK, 5)) {
      queue.append(new Element(ONE, NINE, END));
      queue.append(new Element(TWO, NINE.plusSeconds(1), END));
    }
  }

  /** Whether the agent was killed before it had done all. */
  private static boolean dies(Path home, int crashAt, Removing removing) throws IOException {
    Disk disk =
        CrashingDisk.dyingAt(
            crashAt,
            () -> {
              throw new Dead();
            });
    NodeConfiguration joined =
        new NodeConfiguration(ManagerUrl.parse("http://127.0.0.1:1?token-file=/none"), "n1");
    try (Node node =
        new Node(
            joined,
            disk,
            home,
            home,
            new Events(disk, home, InstantSource.system()),
            InstantSource.system())) {
      SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
      queues.watch(node);
      removing.remove(queues);
      return false;
    } catch (Dead e) {
      return true;
    }
  }

  /** Whether the next agent tells of that removal, and of no other. */
  private static boolean told(Path home, @Nullable String snapshot) throws Exception {
    Outbox outbox = new Outbox(true);
    new Removed(new LocalDisk(), home.resolve("node"), outbox)
        .open((queue, wanted) -> holds(home, queue, wanted));
    List<JsonObject> reports =
        outbox.first(CHANGES_MAX, Long.MAX_VALUE).stream().map(Outbox.Entry::report).toList();
    for (JsonObject report : reports) {
      assertThat(report.string("queue")).isEqualTo(DESK.value());
      assertThat(report.stringOrNull("snapshot")).isEqualTo(snapshot);
    }
    assertThat(reports.size()).isLessThan(2);
    return !reports.isEmpty();
  }

  private static boolean holds(Path home, String queue, @Nullable String snapshot)
      throws IOException {
    SnapshotQueues queues = new SnapshotQueues(new LocalDisk(), home.resolve("queues"));
    QueueName name = new QueueName(queue);
    return queues.exists(name)
        && (snapshot == null || queues.look(name).element(new SnapshotId(snapshot)).isPresent());
  }
}
