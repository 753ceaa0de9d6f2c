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
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.FactsStore;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.store.InterruptedStore;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs of a {@code --rm} container on a real overlay: its upper is moved away, archived, becomes
 * the hot tree and the next run's upper, and what did not change is not read again.
 */
final class CapturesIncrementalTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final String LISTING =
      "find . -mindepth 1 \\( -type f -o -type d \\) -printf '%p|%y|%m|%T@\\n' | LC_ALL=C sort;"
          + "find . -type f -exec sha256sum {} + | LC_ALL=C sort";

  @TempDir private Path directory;
  private Path fs;
  private int runs;

  @SuppressWarnings("NullAway.Init")
  private SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  private InterruptedStore chunks;

  @SuppressWarnings("NullAway.Init")
  private Captures captures;

  @SuppressWarnings("NullAway.Init")
  private HotTrees hotTrees;

  @BeforeEach
  void home() throws IOException {
    fs = directory.resolve("fs");
    assumeTrue(Script.bash(directory, "id -u").equals("0\n"), "mounting takes root");
    Script.bash(
        directory,
        "mkdir fs home; mount -t tmpfs tmpfs fs; mkdir -p fs/{lower,upper,work,merged,staging};"
            + "mkdir fs/lower/d0; echo below > fs/lower/d0/below; echo gone > fs/lower/d0/gone");
    LocalDisk disk = new LocalDisk();
    Path home = directory.resolve("home");
    SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
    snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    PackedChunkStore store = new PackedChunkStore(disk, home.resolve("chunks"));
    chunks = new InterruptedStore(store, 0, () -> {});
    captures =
        new Captures(
            disk,
            home,
            queues,
            snapshots,
            chunks,
            new LayerArchiver(chunks, 2)::archive,
            Keys.NONE);
    hotTrees =
        new HotTrees(
            disk,
            new LayerRestorer(new ChunkReader(store), 2),
            snapshots,
            captures.unpacked()::note);
  }

  @AfterEach
  void unmount() throws IOException {
    captures.unpacked().close();
    Script.bash(directory, "umount -l fs/merged 2>/dev/null || true; umount -l fs || true");
  }

  @Test
  void runFromTheHotTreeCostsWhatItChanged() throws IOException {
    Snapshot first =
        run(
            "rm d0/gone; echo more >> d0/below;"
                + "for d in {1..40}; do mkdir d$d; for f in {1..20}; do"
                + " head -c 20000 /dev/urandom > d$d/f$f; done; done");
    int puts = chunks.puts();
    assertThat(first.archive().chunks().size()).isGreaterThan(12);

    Snapshot second = run("echo changed >> d20/f7; touch -r d20/f8 d20/f7");

    assertThat(second.id()).isNotEqualTo(first.id());
    // The group of the file, the one with the root, the end, and the index.
    assertThat(chunks.puts() - puts).isLessThanOrEqualTo(4);
    assertThat(second.archive().newBytes()).isLessThan(first.archive().newBytes() / 4);
    assertRestores(second);
  }

  @Test
  void endThatChangedNothingReadsAlmostNothing() throws IOException {
    Snapshot first = run("for d in {1..40}; do mkdir d$d; head -c 200000 /dev/zero > d$d/f; done");
    int puts = chunks.puts();

    Snapshot again = run("true");

    assertThat(again.id()).isEqualTo(first.id());
    assertThat(chunks.puts() - puts).isLessThanOrEqualTo(3);
  }

  /** After a restore, or where the hot tree was given up. */
  @Test
  void runFromAnUnpackedTreeCostsWhatItChanged() throws Exception {
    Snapshot first =
        run(
            "rm d0/gone; echo more >> d0/below;"
                + "for d in {1..40}; do mkdir d$d; for f in {1..20}; do"
                + " head -c 20000 /dev/urandom > d$d/f$f; done; ln d$d/f1 d$d/z; done;"
                + "head -c 5000000 /dev/urandom > large");
    unpackInPlaceOfTheUpper(first);
    awaitFacts(first);
    int puts = chunks.puts();

    Snapshot second = run("echo changed >> d20/f7");

    assertThat(chunks.puts() - puts).isLessThanOrEqualTo(5);
    assertRestores(second);
  }

  private void unpackInPlaceOfTheUpper(Snapshot snapshot) throws IOException {
    Script.bash(fs, "rm -rf upper");
    Staging staging = new Staging(fs.resolve("staging"));
    Path tree = hotTrees.prepare(snapshot, staging, List.of(), List.of(), Progress.NONE);
    Script.bash(fs, "mv " + tree + " upper");
  }

  private void awaitFacts(Snapshot snapshot) throws Exception {
    FactsStore facts = new FactsStore(new LocalDisk(), snapshots);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (facts.of(snapshot.id()).orElseThrow().sets().size() < 2) {
      assertThat(System.nanoTime()).as("nothing was noted").isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  /**
   * One run: mounts, changes, unmounts, moves the upper away, captures it, and back as the next.
   */
  private Snapshot run(String changes) throws IOException {
    Script.bash(
        fs, "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged");
    Script.bash(fs.resolve("merged"), changes);
    String seen = Script.bash(fs.resolve("merged"), LISTING);
    Path frozen = fs.resolve("staging/frozen-" + ++runs);
    Script.bash(
        fs, "umount merged; mv upper " + frozen + "; rm -rf work; mkdir upper work; sleep 0.05");

    CaptureResult result = captures.capture(layer(frozen), Home.GOOD, Progress.NONE, () -> false);

    Snapshot snapshot =
        snapshots.read(
            switch (result) {
              case CaptureResult.Stored stored -> stored.snapshot().id();
              case CaptureResult.Unchanged same -> same.tail();
              case CaptureResult.Superseded old -> old.snapshot();
            });
    hotTrees.adopt(frozen, snapshot.id(), List.of(), List.of());
    Script.bash(fs, "rmdir upper; mv staging/hot-" + snapshot.id() + " upper");
    Script.bash(
        fs, "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged");
    assertThat(Script.bash(fs.resolve("merged"), LISTING)).isEqualTo(seen);
    Script.bash(fs, "umount merged");
    return snapshot;
  }

  private void assertRestores(Snapshot snapshot) throws IOException {
    Path restored = fs.resolve("restored");
    new LayerRestorer(new ChunkReader(chunks), 2)
        .restore(snapshot.archive(), restored, List.of(), List.of(), Progress.NONE);
    assertThat(Script.bash(restored, LISTING)).isEqualTo(Script.bash(fs.resolve("upper"), LISTING));
    ArchiveRequest request = ArchiveRequest.PLAIN;
    var whole =
        new LayerArchiver(chunks, 2)
            .archive(fs.resolve("upper"), request, Progress.NONE, () -> false);
    assertThat(whole.chunks()).isEqualTo(snapshot.archive().chunks());
    assertThat(whole.entryIndex()).isEqualTo(snapshot.archive().entryIndex());
  }

  private FrozenLayer layer(Path tree) {
    return new FrozenLayer(
        "job-" + runs,
        new LayerFacts(
            new ContainerId("c".repeat(64)),
            DESK,
            3,
            "sha256:image",
            "image",
            List.of(),
            new JsonObject()),
        tree,
        FrozenLayer.Kind.EXCHANGED,
        runs,
        SeenRun.between(null, Instant.parse("2026-11-22T09:00:00Z").plusSeconds(60L * runs)),
        List.of());
  }
}
