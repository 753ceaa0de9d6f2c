package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import dev.regen.snapshot.store.StoredBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunk files of real captures, on a disk that flips a bit or loses one; then what mends them. */
final class DamagedChunksTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final End END = new End(End.Reason.EXITED, 0, End.Good.YES, Duration.ZERO);

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private SnapshotQueues queues;

  @SuppressWarnings("NullAway.Init")
  private SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  private PackedChunkStore chunks;

  @SuppressWarnings("NullAway.Init")
  private Captures captures;

  @BeforeEach
  void open() throws IOException {
    LocalDisk disk = new LocalDisk();
    queues = new SnapshotQueues(directory.resolve("queues"));
    snapshots = new SnapshotStore(directory.resolve("snapshots"));
    chunks = new PackedChunkStore(disk, directory.resolve("chunks"));
    captures =
        new Captures(
            disk,
            directory,
            queues,
            snapshots,
            chunks,
            new LayerArchiver(chunks, 1)::archive,
            Keys.NONE);
  }

  @Test
  void damagedAndMissingChunksAreMadeAgainFromAnUnpackedTree() throws IOException {
    Path tree = tree("tree", 1);
    Snapshot snapshot = capture(1, tree);
    flipBit(middleChunk(snapshot));
    chunks.delete(List.of(lastIndexChunk(snapshot)));
    Verified found = captures.checks().verify(null);
    assertThat(found.problems()).hasSize(2);

    List<String> done =
        captures.checks().repair(found, _ -> List.of(tree), Progress.NONE, () -> false);

    assertThat(done)
        .containsExactly(
            "1 damaged chunks were set aside; a capture of the same content makes them anew",
            "snapshot "
                + snapshot.id().shortened()
                + ": 2 of 2 chunks were made again from its unpacked tree");
    assertThat(captures.checks().verify(null).allWell()).isTrue();
    assertThat(captures.checks().isWhole(snapshot.id())).isTrue();
  }

  @Test
  void treeThatChangedSinceMendsNothingItDoesNotHold() throws IOException {
    Snapshot snapshot = capture(1, tree("tree", 1));
    flipBit(middleChunk(snapshot));
    Path other = tree("other", 2);

    captures
        .checks()
        .repair(captures.checks().verify(null), _ -> List.of(other), Progress.NONE, () -> false);

    assertThat(captures.checks().verify(null).problems()).hasSize(1);
    assertThat(captures.checks().isWhole(snapshot.id())).isFalse();
  }

  @Test
  void damagedChunkIsNotTakenForContentThatIsThere() throws IOException {
    Path tree = tree("tree", 1);
    Snapshot first = capture(1, tree);
    flipBit(middleChunk(first));
    captures
        .checks()
        .repair(captures.checks().verify(null), _ -> List.of(), Progress.NONE, () -> false);
    assertThat(captures.checks().isWhole(first.id())).isFalse();
    Files.writeString(tree.resolve("zz-more"), "more");

    Snapshot second = capture(2, tree);

    assertThat(captures.checks().isWhole(second.id())).isTrue();
    assertThat(captures.checks().isWhole(first.id())).isTrue();
  }

  @Test
  void chunkThatCanBeReadAfterAllStays() throws IOException {
    Snapshot snapshot = capture(1, tree("tree", 1));
    flipBit(middleChunk(snapshot));
    Verified found = captures.checks().verify(null);
    flipBit(middleChunk(snapshot));

    List<String> done = captures.checks().repair(found, _ -> List.of(), Progress.NONE, () -> false);

    assertThat(done).isEmpty();
    assertThat(captures.checks().isWhole(snapshot.id())).isTrue();
  }

  @Test
  void whatNothingNamesIsCountedAndDeleted() throws IOException {
    Snapshot snapshot = capture(1, tree("tree", 1));
    byte[] stray = {1, 2, 3};
    chunks.put(Digest.of(java.nio.ByteBuffer.wrap(stray)), java.nio.ByteBuffer.wrap(stray));
    chunks.force();
    Verified found = captures.checks().verify(null);
    assertThat(found.unreferencedChunks()).isEqualTo(1);

    captures.checks().repair(found, _ -> List.of(), Progress.NONE, () -> false);

    assertThat(captures.checks().verify(null).unreferencedChunks()).isZero();
    assertThat(captures.checks().isWhole(snapshot.id())).isTrue();
  }

  private Snapshot capture(int number, Path tree) throws IOException {
    FrozenLayer layer = Home.layer(DESK, number, 5, tree.toString());
    CaptureResult result = captures.capture(layer, END, Progress.NONE, () -> false);
    assertThat(result).isInstanceOf(CaptureResult.Stored.class);
    SnapshotId id = queues.look(DESK).tail().orElseThrow().id();
    return snapshots.read(id);
  }

  /** 300 files of 20,000 bytes. */
  private Path tree(String name, long seed) throws IOException {
    Random random = new Random(seed);
    Path tree = Files.createDirectory(directory.resolve(name));
    for (int i = 0; i < 300; i++) {
      byte[] bytes = new byte[20_000];
      random.nextBytes(bytes);
      Files.write(tree.resolve("file" + i), bytes);
    }
    return tree;
  }

  private void flipBit(Digest digest) throws IOException {
    StoredBytes.flipBit(chunks, digest);
  }

  private static Digest middleChunk(Snapshot snapshot) {
    List<Chunk> all = snapshot.archive().chunks();
    return all.get(all.size() / 2).digest();
  }

  private static Digest lastIndexChunk(Snapshot snapshot) {
    Chunk last = snapshot.archive().entryIndex().getLast();
    return last.digest();
  }
}
