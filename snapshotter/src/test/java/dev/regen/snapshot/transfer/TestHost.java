package dev.regen.snapshot.transfer;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.CaptureResult;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerExport;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;

/** A host's home as one process has it open, with real layers. */
public final class TestHost {
  public static final QueueName DESK = new QueueName("desk");
  static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final End GOOD =
      new End(End.Reason.EXITED, 0, End.Good.YES, Duration.ofSeconds(5));

  public final SnapshotQueues queues;
  final SnapshotStore snapshots;
  final PackedChunkStore chunks;
  final ChunkReader reader;
  final Captures captures;
  final Push push;
  final Pull pull;
  final Follow follow;
  private final Path home;
  private int captured;

  /** Of the image that what is captured lies on. */
  public String imageId = "sha256:image";

  public TestHost(Path home) throws IOException {
    this.home = home;
    Disk disk = new LocalDisk();
    new Records(disk).makeDirectory(home);
    queues = new SnapshotQueues(disk, home.resolve("queues"));
    snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    reader = new ChunkReader(chunks);
    LayerArchiver archiver = new LayerArchiver(chunks, 1);
    captures = new Captures(disk, home, queues, snapshots, chunks, archiver::archive, Keys.NONE);
    push = new Push(queues, snapshots, chunks);
    pull = new Pull(queues, snapshots, chunks, captures.arrivals());
    follow = new Follow(queues, chunks, captures.arrivals(), pull);
  }

  /** Captures a tree of so many random files of 300 kB, each a chunk or two. */
  public SnapshotId capture(long seed, int files) throws IOException {
    Path tree = Files.createDirectories(home.resolve("tree-" + seed));
    Random random = new Random(seed);
    for (int i = 0; i < files; i++) {
      byte[] bytes = new byte[300_000];
      random.nextBytes(bytes);
      Files.write(Files.createDirectories(tree.resolve("d" + i % 5)).resolve("f" + i), bytes);
    }
    FrozenLayer layer =
        new FrozenLayer(
            "job-" + seed + "-" + captured,
            new LayerFacts(
                new ContainerId("c".repeat(64)),
                DESK,
                5,
                imageId,
                "image",
                List.of(),
                new JsonObject()),
            tree,
            FrozenLayer.Kind.IN_PLACE,
            Fd.stat(tree).inode(),
            SeenRun.between(null, Instant.parse("2026-11-22T09:00:00Z").plusSeconds(++captured)),
            List.of());
    CaptureResult result = captures.capture(layer, GOOD, Progress.NONE, () -> false);
    return ((CaptureResult.Stored) result).snapshot().id();
  }

  public Transferred push(RemoteStore store, SnapshotId id) throws IOException {
    return push.push(store, DESK, id, TransferProgress.NONE).transferred();
  }

  Pull.Result follow(RemoteStore store) throws IOException {
    return follow(store, TransferProgress.NONE);
  }

  Pull.Result follow(RemoteStore store, TransferProgress progress) throws IOException {
    return follow.follow(store, DESK, "latest", PATIENCE, Follow.Ahead.NOTHING, progress);
  }

  List<SnapshotId> queue() throws IOException {
    return queues.exists(DESK)
        ? queues.look(DESK).elements().stream().map(Element::id).toList()
        : List.of();
  }

  /** The tar of a snapshot, each of its chunks read. */
  public byte[] tar(SnapshotId id) throws IOException {
    Snapshot snapshot = snapshots.read(id);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new LayerExport(reader).write(snapshot.archive(), LayerExport.Form.TAR, out);
    return out.toByteArray();
  }
}
