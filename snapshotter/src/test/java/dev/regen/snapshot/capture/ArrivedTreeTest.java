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
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.EarlyTree;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.Successors;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hazard: the tree of a snapshot that arrives is made of the one before it, which a start may have,
 * a restore may have chosen, or which is half taken apart when something fails. find, getfattr and
 * sha256sum compare with a tree that is unpacked from nothing.
 */
final class ArrivedTreeTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final String ALL =
      """
      export LC_ALL=C
      find . -printf '%p|%y|%m|%U|%G|%T@|%n|%l\\n' | sort
      find . ! -type d -printf '%p %s %b\\n' | sort
      find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      find . -type f -print0 | sort -z | xargs -0 sha256sum
      """;
  private static final String TREE =
      """
      for d in {1..60}; do mkdir -p a/d$d/deep; echo deep > a/d$d/deep/f
        head -c 36000 /dev/urandom | split -b 4000 -a 1 --numeric-suffixes=1 - a/d$d/f; done
      ln a/d3/f1 a/d9/link; mknod a/d4/gone c 0 0; setfattr -n trusted.overlay.opaque -v y a/d5
      setfattr -n user.note -v one a/d6/f1; truncate -s 1M a/d7/sparse; ln -s f1 a/d8/symlink
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("a/d10/socket")'
      """;
  private static final String CHANGES =
      """
      echo changed >> a/d20/f7; rm a/d21/f1; echo new > a/d22/new; rm -r a/d23; echo file > a/d23
      rm a/d24/f1; mkdir a/d24/f1; echo x > a/d24/f1/x; chmod 600 a/d25/f2; chown 5:6 a/d26/f3
      setfattr -n user.note -v two a/d6/f1; rm a/d9/link; mknod a/d27/gone c 0 0; mkdir b
      """;

  @TempDir private Path directory;
  private final LocalDisk disk = new LocalDisk();
  private Path stagingPath = Path.of("");
  private int runs;

  @SuppressWarnings("NullAway.Init")
  private SnapshotQueues queues;

  @SuppressWarnings("NullAway.Init")
  private SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  private PackedChunkStore chunks;

  @SuppressWarnings("NullAway.Init")
  private Captures captures;

  @SuppressWarnings("NullAway.Init")
  private HotTrees hotTrees;

  @SuppressWarnings("NullAway.Init")
  private Successors successors;

  private Staging staging = new Staging(Path.of("/"));

  @BeforeEach
  void home() throws IOException {
    assumeTrue(Script.bash(directory, "id -u").equals("0\n"), "owners and devices take root");
    stagingPath = Files.createDirectory(directory.resolve("staging"));
    staging = new Staging(stagingPath);
    Path home = Files.createDirectory(directory.resolve("home"));
    queues = new SnapshotQueues(disk, home.resolve("queues"));
    snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    LayerArchiver archiver = new LayerArchiver(chunks, 2);
    captures = new Captures(disk, home, queues, snapshots, chunks, archiver::archive, Keys.NONE);
    LayerRestorer restorer = new LayerRestorer(new ChunkReader(chunks), 2);
    hotTrees = new HotTrees(disk, restorer, snapshots, captures.unpacked()::note);
    successors = successors(restorer);
  }

  @Test
  void aTreeOfACaptureBecomesTheNextOne() throws Exception {
    Snapshot one = captured(TREE, true);
    Set<String> inodes = inodes(hot(one));
    Snapshot two = captured(CHANGES, false);

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(taken(inodes, two)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(two);
    assertThat(staging()).containsExactly(name(two));
  }

  @Test
  void aTreeThatWasMadeThatWayBecomesTheNextOneAgain() throws Exception {
    Snapshot one = captured(TREE, false);
    successors.prepare(one, staging, Progress.NONE, () -> false);
    awaitFacts(one);
    Snapshot two = captured(CHANGES, false);
    successors.prepare(two, staging, Progress.NONE, () -> false);
    awaitFacts(two);
    Set<String> inodes = inodes(hot(two));
    Snapshot three = captured("rm -r a/d40; echo more >> a/d41/f1", false);

    try (EarlyTree early = successors.early(three, staging, chunks::get)) {
      early.landed();
    }

    assertThat(taken(inodes, three)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(three);
    assertThat(staging()).containsExactly(name(three));
  }

  @Test
  void aTreeThatAStartHasIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    Path given = hotTrees.prepare(one, staging, List.of(), List.of(), Progress.NONE);
    String before = Script.bash(given, ALL);

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(Script.bash(given, ALL)).isEqualTo(before);
    assertSame(two);
    assertThat(staging()).containsExactlyInAnyOrder(name(one), name(two));
  }

  @Test
  void aTreeThatAStartGetsAfterTheLookIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);

    try (EarlyTree early = successors.early(two, staging, chunks::get)) {
      awaitNoThread("early-tree");
      hotTrees.prepare(one, staging, List.of(), List.of(), Progress.NONE);
      early.landed();
    }

    assertThat(staging()).containsExactly(name(one));
  }

  @Test
  void aTreeThatARestoreChoseIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    try (EarlyTree early = successors.early(two, staging, chunks::get)) {
      awaitNoThread("early-tree");
      try (SnapshotQueue queue = queues.open(DESK)) {
        queue.choose(one.id());
      }
      early.landed();
    }
    assertThat(staging()).containsExactly(name(one));

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(staging()).containsExactlyInAnyOrder(name(one), name(two));
  }

  @Test
  void nothingIsTakenBeforeTheSnapshotIsInItsQueue() throws Exception {
    Snapshot one = captured(TREE, true);
    String before = Script.bash(hot(one), ALL);
    Snapshot two = captured(CHANGES, false);

    try (EarlyTree _ = successors.early(two, staging, chunks::get)) {
      awaitNoThread("early-tree");
    }

    assertThat(Script.bash(hot(one), ALL)).isEqualTo(before);
    assertThat(staging()).containsExactly(name(one));
  }

  @Test
  void chunksThatCannotBeReadLeaveNothing() throws Exception {
    captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    ChunkReader.Source failing =
        digest -> {
          if (two.archive().chunks().stream().anyMatch(chunk -> chunk.digest().equals(digest))) {
            throw new IOException("no chunks to be had");
          }
          return chunks.get(digest);
        };

    try (EarlyTree early =
        successors(new LayerRestorer(new ChunkReader(chunks).of(failing), 2))
            .early(two, staging, failing)) {
      early.landed();
    }

    assertThat(staging()).isEmpty();
    successors.prepare(two, staging, Progress.NONE, () -> false);
    assertSame(two);
  }

  private Successors successors(LayerRestorer restorer) {
    return new Successors(
        disk,
        queues,
        restorer,
        hotTrees,
        (tree, id, cancelled) -> captures.files().present(tree, snapshots.read(id), cancelled));
  }

  /** Changes the state of the other host and captures a copy of it, which may become a hot tree. */
  private Snapshot captured(String changes, boolean adopted) throws Exception {
    Path state = directory.resolve("state");
    Files.createDirectories(state);
    Script.bash(state, changes);
    Path frozen = stagingPath.resolve("frozen-" + ++runs);
    Script.bash(directory, "cp -a --sparse=always state " + frozen);
    Thread.sleep(60);
    CaptureResult result = captures.capture(layer(frozen), Home.GOOD, Progress.NONE, () -> false);
    Snapshot snapshot = ((CaptureResult.Stored) result).snapshot();
    if (adopted) {
      hotTrees.adopt(frozen, snapshot.id(), List.of(), List.of());
    } else {
      Script.bash(directory, "rm -rf " + frozen);
    }
    return snapshot;
  }

  private void assertSame(Snapshot snapshot) throws IOException {
    Path restored = directory.resolve("restored-" + snapshot.id());
    new LayerRestorer(new ChunkReader(chunks), 2)
        .restore(snapshot.archive(), restored, List.of(), List.of(), Progress.NONE);
    assertThat(Script.bash(hot(snapshot), ALL)).isEqualTo(Script.bash(restored, ALL));
  }

  private long taken(Set<String> inodes, Snapshot by) throws IOException {
    return inodes(hot(by)).stream().filter(inodes::contains).count();
  }

  private static Set<String> inodes(Path tree) throws IOException {
    return new HashSet<>(Script.bash(tree, "find . -type f -printf '%i\\n'").lines().toList());
  }

  private Path hot(Snapshot snapshot) {
    return staging.hot(snapshot.id().value());
  }

  private static String name(Snapshot snapshot) {
    return Staging.HOT + snapshot.id();
  }

  /** The trees that are there. */
  private List<String> staging() throws IOException {
    try (Stream<Path> all = Files.list(stagingPath)) {
      return all.filter(Files::isDirectory).map(path -> path.getFileName().toString()).toList();
    }
  }

  private void awaitFacts(Snapshot snapshot) throws Exception {
    FactsStore facts = new FactsStore(disk, snapshots);
    await(() -> facts.of(snapshot.id()).orElseThrow().sets().size() >= 2);
  }

  private static void awaitNoThread(String name) throws Exception {
    await(() ->
        Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getName().equals(name)));
  }

  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (!condition.holds()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
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
