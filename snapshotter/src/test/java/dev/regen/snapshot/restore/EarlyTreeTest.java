package dev.regen.snapshot.restore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.store.MemoryChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hazard: unpacking ends half-way, and a run starts from what there is. */
final class EarlyTreeTest {
  private static final Snapshot SNAPSHOT =
      new Snapshot(
          SnapshotId.random(),
          new QueueName("desk"),
          Instant.parse("2026-11-22T09:00:00.123Z"),
          new End(End.Reason.OOM, null, End.Good.UNKNOWN, null),
          "c".repeat(64),
          "sha256:image",
          "image",
          new Archive(List.of(), List.of(), 0, 0, 0, 0, List.of(), 0),
          List.of(),
          new JsonObject());

  @TempDir private Path directory;
  private Staging staging = new Staging(Path.of("/"));

  @BeforeEach
  void makeStaging() throws IOException {
    staging = new Staging(Files.createDirectory(directory.resolve(Staging.NAME)));
  }

  @Test
  void aWholeTreeIsOneToStartFrom() throws IOException {
    HotTrees trees = hotTrees();
    assertThat(
            treesAfter((building, _) -> {
              Files.createDirectory(building);
              return whole -> trees.take(whole, SNAPSHOT);
            }))
        .hasSize(1);
  }

  @Test
  void aTreeWhoseThreadFailedIsNone() throws IOException {
    assertThat(
            treesAfter((building, _) -> {
              Files.createDirectory(building);
              throw new IOException("the disk is full");
            }))
        .isEmpty();
  }

  @Test
  void aTreeWhoseThreadDiedOfAnErrorIsNone() throws IOException {
    assertThat(
            treesAfter((building, _) -> {
              Files.createDirectory(building);
              throw new NoClassDefFoundError("removed by an update");
            }))
        .isEmpty();
    assertThat(staging.directory()).isEmptyDirectory();
  }

  @Test
  void aTreeThatCannotBeFinishedLeavesTheSnapshotInItsQueue() throws IOException {
    assertThat(
            treesAfter((building, _) -> {
              Files.createDirectory(building);
              return _ -> {
                throw new IllegalStateException("its thread died");
              };
            }))
        .isEmpty();
    assertThat(staging.directory()).isEmptyDirectory();
  }

  private List<HotTrees.HotTree> treesAfter(EarlyTree.Unpacking unpacking) throws IOException {
    HotTrees trees = hotTrees();
    try (EarlyTree tree = new EarlyTree(trees, SNAPSHOT, staging.building(), unpacking)) {
      tree.landed();
    }
    return trees.list(staging);
  }

  private HotTrees hotTrees() throws IOException {
    LocalDisk disk = new LocalDisk();
    Path home = directory.resolve("home");
    Keyset keys = new Keyset(new Records(disk), home.resolve("keys"), InstantSource.system());
    LayerRestorer restorer = new LayerRestorer(new ChunkReader(new MemoryChunkStore()), 1);
    SnapshotStore snapshots = new SnapshotStore(disk, home, keys);
    return new HotTrees(disk, restorer, snapshots, HotTrees.Unpacked.UNHEARD);
  }
}
