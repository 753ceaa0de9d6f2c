package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.MemoryChunkStore;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ends of a container that is kept, on a real overlay: what its snapshot does not hold is linked,
 * and the archive is the same as one of the whole upper.
 */
final class CapturesKeptTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final int ROUNDS = 8;

  @TempDir private Path directory;
  private Path fs;
  private Path upper;
  private int ends;
  private final AtomicBoolean stopped = new AtomicBoolean();

  @SuppressWarnings("NullAway.Init")
  private SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  private Captures captures;

  @BeforeEach
  void containerWithManyFiles() throws IOException {
    fs = directory.resolve("fs");
    upper = fs.resolve("upper");
    assumeTrue(Script.bash(directory, "id -u").equals("0\n"), "mounting takes root");
    Script.bash(
        directory,
        "mkdir fs home; mount -t tmpfs tmpfs fs; mkdir -p fs/{lower,upper,work,merged,staging};"
            + "mkdir fs/lower/d0; echo below > fs/lower/d0/below; echo gone > fs/lower/d0/gone");
    LocalDisk disk = new LocalDisk();
    Path home = directory.resolve("home");
    SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
    snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    PackedChunkStore chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    captures =
        new Captures(
            disk,
            home,
            queues,
            snapshots,
            chunks,
            new LayerArchiver(chunks, 2)::archive,
            Keys.NONE);
    run(
        "rm d0/gone; echo more >> d0/below; for d in {1..30}; do mkdir d$d;"
            + "for f in {1..20}; do head -c 20000 /dev/urandom > d$d/f$f; done; done;"
            + "ln d3/f1 d17/linked; ln -s d3 symbolic; mkfifo d4/pipe; setfattr -n user.a -v b d5");
  }

  @AfterEach
  void unmount() throws IOException {
    Script.bash(directory, "umount -l fs/merged 2>/dev/null || true; umount -l fs || true");
  }

  @Test
  void onlyGroupsThatChangedAreLinked() throws IOException {
    assertThat(end().kind()).isEqualTo(FrozenLayer.Kind.LINKED);
    run("echo changed >> d20/f7");

    FrozenLayer second = freeze();

    assertThat(second.kind()).isEqualTo(FrozenLayer.Kind.LISTED);
    List<String> linked = List.of(Script.bash(second.tree(), "find . -type f").split("\n"));
    assertThat(linked).contains("./d20/f7").hasSizeBetween(1, 250);
    assertSnapshotIsWhole(second, archived(upper));
    run("echo again > d8/f1");
    FrozenLayer third = freeze();
    assertThat(List.of(Script.bash(third.tree(), "find . -type f").split("\n")))
        .contains("./d8/f1")
        .doesNotContain("./d20/f7")
        .hasSizeBetween(1, 250);
    assertSnapshotIsWhole(third, archived(upper));
  }

  @Test
  void eachEndHoldsWhatTheContainerHad() throws IOException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    end();
    for (int round = 0; round < ROUNDS; round++) {
      StringBuilder edits = new StringBuilder("true");
      for (int count = random.nextInt(5); count >= 0; count--) {
        edits.append("\n{ ").append(edit(random)).append("; } || true");
      }
      run(edits.toString());
      Archive whole = archived(upper);

      FrozenLayer layer = freeze();
      if (random.nextBoolean()) {
        // As `docker cp` into the stopped container, before the agent gets to the layer.
        Script.bash(
            upper,
            // What the edits before have removed cannot be changed.
            "echo copied > x; rm -rf d9/f2; mv x d9/f2 || rm x; chmod 600 d12/f4 || true;"
                + "setfattr -n user.note -v 1 d14 || true");
      }

      assertThat(layer.kind()).isEqualTo(FrozenLayer.Kind.LISTED);
      assertThat(capture(layer).chunks()).as("seed %d: %s", seed, edits).isEqualTo(whole.chunks());
      run("true");
      Archive after = archived(upper);
      assertThat(capture(freeze()).chunks())
          .as("seed %d: %s", seed, edits)
          .isEqualTo(after.chunks());
    }
  }

  @Test
  void fileWrittenInPlaceAfterItWasLinkedIsArchivedAsItIsThen() throws IOException {
    end();
    run("echo changed >> d20/f7");
    FrozenLayer layer = freeze();
    Script.bash(upper, "echo by-the-administrator >> d20/f7; setfattr -n user.n -v 1 d20/f6");

    assertThat(capture(layer).chunks()).isEqualTo(archived(upper).chunks());
  }

  @Test
  void containerRemovedBeforeItsLayerIsArchivedLosesNothing() throws IOException {
    end();
    run("echo changed >> d20/f7; rm d3/f4");
    Archive whole = archived(upper);
    FrozenLayer layer = freeze();
    TreeRemoval.remove(upper);

    assertThat(capture(layer, null).chunks()).isEqualTo(whole.chunks());
  }

  @Test
  void snapshotThatALayerCountsOnKeepsItsChunksWhenItIsRemoved() throws IOException {
    end();
    run("echo changed >> d20/f7");
    Archive whole = archived(upper);
    FrozenLayer layer = freeze();

    for (SnapshotId id : snapshots.list()) {
      captures.removals().remove(DESK, id);
    }
    captures.removals().sweep();

    assertThat(capture(layer).chunks()).isEqualTo(whole.chunks());
    assertThat(captures.checks().verify(DESK).problems()).isEmpty();
    captures.files().sweepListings(java.util.Set.of());
    assertThat(directory.resolve("home/listings")).isEmptyDirectory();
  }

  @Test
  void startThatCannotWaitCostsFactsAndNothingElse() throws IOException {
    stopped.set(true);
    end();
    stopped.set(false);
    run("echo changed >> d20/f7");
    Archive whole = archived(upper);

    FrozenLayer layer = freeze();

    assertThat(layer.kind()).isEqualTo(FrozenLayer.Kind.LINKED);
    assertThat(capture(layer).chunks()).isEqualTo(whole.chunks());
  }

  @Test
  void damagedFactsMakeAWholeFreeze() throws IOException {
    end();
    for (SnapshotId id : snapshots.list()) {
      Files.write(snapshots.factsFile(id), new byte[] {1, 2, 3});
    }
    run("echo changed >> d20/f7");
    Archive whole = archived(upper);

    FrozenLayer layer = freeze();

    assertThat(layer.kind()).isEqualTo(FrozenLayer.Kind.LINKED);
    assertThat(capture(layer).chunks()).isEqualTo(whole.chunks());
  }

  @Test
  void anUpperThatTheEngineRemovesMeanwhileLeavesTheSnapshotAndNoLinks() throws IOException {
    end();
    run("echo changed >> d20/f7");
    Archive whole = archived(upper);
    FrozenLayer layer = freeze();
    TreeRemoval.remove(upper.resolve("d21"));

    assertThat(capture(layer).chunks()).isEqualTo(whole.chunks());
    assertThat(layer.tree()).doesNotExist();

    Files.createDirectory(upper.resolve("d21"));
    FrozenLayer next = freeze();
    TreeRemoval.remove(upper);

    assertThat(capture(next)).isNotNull();
    assertThat(next.tree()).doesNotExist();
  }

  private void assertSnapshotIsWhole(FrozenLayer layer, Archive whole) throws IOException {
    Archive archive = capture(layer);
    assertThat(archive.chunks()).isEqualTo(whole.chunks());
    assertThat(archive.entryIndex()).isEqualTo(whole.entryIndex());
    assertThat(archive.entries()).isEqualTo(whole.entries());
  }

  private FrozenLayer end() throws IOException {
    FrozenLayer layer = freeze();
    capture(layer);
    return layer;
  }

  private void run(String changes) throws IOException {
    Script.bash(
        fs, "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged");
    Script.bash(fs.resolve("merged"), changes);
    Script.bash(fs, "umount merged; sleep 0.05");
  }

  /** As the runtime extension does it. */
  private FrozenLayer freeze() throws IOException {
    ends++;
    Path listed = fs.resolve("staging/listed-" + ends);
    FrozenLayer layer = layer(listed, FrozenLayer.Kind.LISTED);
    if (captures.files().freeze(layer, upper, listed, LIMIT)) {
      return layer;
    }
    TreeRemoval.remove(listed);
    Path frozen = fs.resolve("staging/frozen-" + ends);
    LinkedTree.make(upper, frozen, LIMIT);
    return layer(frozen, FrozenLayer.Kind.LINKED);
  }

  private Archive capture(FrozenLayer layer) throws IOException {
    return capture(layer, upper);
  }

  private Archive capture(FrozenLayer layer, @Nullable Path ofContainer) throws IOException {
    CaptureResult result = captures.capture(layer, Home.GOOD, Progress.NONE, () -> false);
    captures.files().settle(layer, ofContainer, () -> removal(layer.tree()), stopped::get);
    return snapshots
        .read(
            switch (result) {
              case CaptureResult.Stored stored -> stored.snapshot().id();
              case CaptureResult.Unchanged same -> same.tail();
              case CaptureResult.Superseded old -> old.snapshot();
            })
        .archive();
  }

  private static Thread removal(Path tree) {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            TreeRemoval.remove(tree);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
  }

  /** The whole upper, read. */
  private static Archive archived(Path tree) throws IOException {
    return new LayerArchiver(new MemoryChunkStore(), 2)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private static String edit(Random random) {
    String file = "d" + (1 + random.nextInt(30)) + "/f" + (1 + random.nextInt(20));
    String other = "d" + (1 + random.nextInt(30)) + "/f" + (1 + random.nextInt(25));
    return switch (random.nextInt(9)) {
      case 0 -> "head -c " + random.nextInt(40_000) + " /dev/urandom > " + file;
      case 1 -> "rm -f " + file;
      case 2 -> "mv " + file + " " + other;
      case 3 -> "ln -f " + file + " " + other;
      case 4 -> "chmod 600 " + file;
      case 5 -> "mkdir -p new" + random.nextInt(4) + "; echo 1 > new1/f" + random.nextInt(9);
      case 6 -> "touch " + file;
      case 7 -> "setfattr -n user.n -v " + random.nextInt() + " " + file;
      default -> "rm -rf d" + (1 + random.nextInt(30)) + "/f1*";
    };
  }

  private FrozenLayer layer(Path tree, FrozenLayer.Kind kind) throws IOException {
    return new FrozenLayer(
        "job-" + ends,
        new LayerFacts(
            new ContainerId("c".repeat(64)),
            DESK,
            3,
            "sha256:image",
            "image",
            List.of(),
            new JsonObject()),
        tree,
        kind,
        1,
        SeenRun.between(null, now()),
        List.of());
  }

  private static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MILLIS);
  }
}
