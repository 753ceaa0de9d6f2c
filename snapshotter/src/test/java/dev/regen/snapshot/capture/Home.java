package dev.regen.snapshot.capture;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** One home on some disk, with all that keeps it, as one process has it open. */
final class Home {
  static final QueueName DESK = new QueueName("desk");
  static final End GOOD = new End(End.Reason.EXITED, 0, End.Good.YES, Duration.ofSeconds(5));
  static final End FAILED = new End(End.Reason.EXITED, 1, End.Good.NO, Duration.ofSeconds(1));

  final SnapshotQueues queues;
  final SnapshotStore snapshots;
  final PackedChunkStore chunks;
  final Captures captures;
  private final ChunkReader reader;

  Home(Disk disk, Path directory) throws IOException {
    this(disk, directory, Keys.NONE);
  }

  Home(Disk disk, Path directory, Keys keys) throws IOException {
    new Records(disk).makeDirectory(directory);
    queues = new SnapshotQueues(disk, directory.resolve("queues"));
    snapshots = new SnapshotStore(disk, directory.resolve("snapshots"), keys);
    chunks = new PackedChunkStore(disk, directory.resolve("chunks"));
    reader = new ChunkReader(chunks, keys);
    captures =
        new Captures(disk, directory, queues, snapshots, chunks, new NamedTrees(chunks), keys);
  }

  /** Captures {@code tree} as the {@code number}-th end of the queue's runs. */
  CaptureResult capture(int number, String tree, End end) throws IOException {
    return captures.capture(layer(DESK, number, 2, tree), end, Progress.NONE, () -> false);
  }

  QueueContent queue() throws IOException {
    return queues.look(DESK);
  }

  /** The trees that stand in the queue, each of its chunks read; oldest first. */
  List<String> trees() throws IOException {
    List<String> trees = new ArrayList<>();
    if (!queues.exists(DESK)) {
      return trees;
    }
    for (Element element : queue().elements()) {
      Snapshot snapshot = snapshots.read(element.id());
      StringBuilder tree = new StringBuilder();
      for (var chunk : snapshot.archive().chunks()) {
        String text = new String(reader.frame(chunk), java.nio.charset.StandardCharsets.UTF_8);
        tree.append(tree.isEmpty() ? "" : "-").append(text, 6, 7);
      }
      trees.add(tree.toString());
    }
    return trees;
  }

  static FrozenLayer layer(QueueName queue, int number, int keep, String tree) {
    return new FrozenLayer(
        "job-" + number,
        new LayerFacts(
            new ContainerId("c".repeat(64)),
            queue,
            keep,
            "sha256:image",
            "image",
            List.of("a volume at /data"),
            new JsonObject().with("Hostname", "desk-" + number)),
        Path.of("/trees").resolve(tree),
        FrozenLayer.Kind.EXCHANGED,
        number,
        SeenRun.between(null, Instant.parse("2026-11-22T09:00:00Z").plusSeconds(60L * number)),
        List.of());
  }
}
