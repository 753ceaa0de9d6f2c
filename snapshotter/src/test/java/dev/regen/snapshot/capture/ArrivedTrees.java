package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
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
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.Successors;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of another host that arrive in a queue here, and the trees that are made of them. */
abstract class ArrivedTrees {
  static final QueueName DESK = new QueueName("desk");
  static final String ALL =
      """
      export LC_ALL=C
      find . -printf '%p|%y|%m|%U|%G|%T@|%n|%l\\n' | sort
      find . ! -type d -printf '%p %s %b\\n' | sort
      find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      find . -type f -print0 | sort -z | xargs -0 sha256sum
      """;
  static final String TREE =
      """
      for d in {1..60}; do mkdir -p a/d$d/deep; echo deep > a/d$d/deep/f
        head -c 36000 /dev/urandom | split -b 4000 -a 1 --numeric-suffixes=1 - a/d$d/f; done
      ln a/d3/f1 a/d9/link; mknod a/d4/gone c 0 0; setfattr -n trusted.overlay.opaque -v y a/d5
      setfattr -n user.note -v one a/d6/f1; truncate -s 1M a/d7/sparse; ln -s f1 a/d8/symlink
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("a/d45/socket")'
      """;
  static final String CHANGES =
      """
      echo changed >> a/d20/f7; rm a/d21/f1; echo new > a/d22/new; rm -r a/d23; echo file > a/d23
      rm a/d24/f1; mkdir a/d24/f1; echo x > a/d24/f1/x; chmod 600 a/d25/f2; chown 5:6 a/d26/f3
      setfattr -n user.note -v two a/d6/f1; rm a/d9/link; mknod a/d27/gone c 0 0; mkdir b
      """;

  @TempDir Path directory;
  Path stagingPath = Path.of("");
  private int runs;

  /** At trees, until now. */
  final AtomicInteger looks = new AtomicInteger();

  @SuppressWarnings("NullAway.Init")
  SnapshotQueues queues;

  @SuppressWarnings("NullAway.Init")
  SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  PackedChunkStore chunks;

  @SuppressWarnings("NullAway.Init")
  Captures captures;

  @SuppressWarnings("NullAway.Init")
  HotTrees hotTrees;

  @SuppressWarnings("NullAway.Init")
  Successors successors;

  Staging staging = new Staging(Path.of("/"));

  @SuppressWarnings("NullAway.Init")
  private Keys keys;

  private final List<Captures> opened = new ArrayList<>();

  @BeforeEach
  void home() throws IOException {
    assumeTrue(Script.bash(directory, "id -u").equals("0\n"), "owners and devices take root");
    stagingPath = Files.createDirectory(directory.resolve("staging"));
    staging = new Staging(stagingPath);
    open(new LocalDisk(), Keys.NONE);
  }

  /** They write beside the trees, which is not to go on while the directory is removed. */
  @AfterEach
  void end() {
    opened.forEach(each -> each.unpacked().close());
  }

  /** On this disk, with these keys, as another process. */
  void open(Disk disk, Keys unlocked) throws IOException {
    keys = unlocked;
    Path home = Files.createDirectories(directory.resolve("home"));
    LocalDisk local = new LocalDisk();
    queues = new SnapshotQueues(local, home.resolve("queues"));
    snapshots = new SnapshotStore(local, home.resolve("snapshots"), keys);
    chunks = new PackedChunkStore(local, home.resolve("chunks"));
    LayerArchiver archiver = new LayerArchiver(chunks, 2);
    captures = new Captures(local, home, queues, snapshots, chunks, archiver::archive, keys);
    opened.add(captures);
    ChunkReader reader = new ChunkReader(chunks, keys);
    LayerRestorer restorer = new LayerRestorer(reader, 2);
    hotTrees = new HotTrees(disk, restorer, snapshots, captures.unpacked()::note);
    successors = successors(disk, restorer);
  }

  Successors successors(Disk disk, LayerRestorer restorer) {
    return new Successors(
        disk,
        queues,
        restorer,
        hotTrees,
        (tree, id, cancelled) -> {
          looks.incrementAndGet();
          return captures.files().present(tree, snapshots.read(id), cancelled);
        });
  }

  /** Changes the state of the other host and captures a copy of it, which may become a hot tree. */
  Snapshot captured(String changes, boolean adopted) throws Exception {
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

  void assertSame(Snapshot snapshot) throws IOException {
    Path restored = directory.resolve("restored-" + snapshot.id());
    new LayerRestorer(new ChunkReader(chunks, keys), 2)
        .restore(snapshot.archive(), restored, List.of(), List.of(), Progress.NONE);
    assertThat(Script.bash(hot(snapshot), ALL)).isEqualTo(Script.bash(restored, ALL));
  }

  long taken(Set<String> inodes, Snapshot by) throws IOException {
    return inodes(hot(by)).stream().filter(inodes::contains).count();
  }

  static Set<String> inodes(Path tree) throws IOException {
    return new HashSet<>(Script.bash(tree, "find . -type f -printf '%i\\n'").lines().toList());
  }

  Path hot(Snapshot snapshot) {
    return staging.hot(snapshot.id().value());
  }

  static String name(Snapshot snapshot) {
    return Staging.HOT + snapshot.id();
  }

  /** The trees that are there, once what nobody needs is gone, which nobody waits for. */
  List<String> staging() throws IOException {
    List<String> trees;
    do {
      try (Stream<Path> all = Files.list(stagingPath)) {
        trees = all.filter(Files::isDirectory).map(path -> path.getFileName().toString()).toList();
      }
    } while (trees.stream().anyMatch(name -> name.startsWith(Staging.TRASH)));
    return trees;
  }

  void awaitFacts(Snapshot snapshot) throws Exception {
    FactsStore facts = new FactsStore(new LocalDisk(), snapshots);
    await(() -> facts.of(snapshot.id()).orElseThrow().sets().size() >= 2);
  }

  static void awaitNoThread(String name) throws Exception {
    await(() ->
        Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getName().equals(name)));
  }

  interface Condition {
    boolean holds() throws IOException;
  }

  static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (!condition.holds()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  FrozenLayer layer(Path tree) {
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
