package dev.regen.snapshot.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.restore.HotTrees.HotTree;
import dev.regen.snapshot.store.MemoryChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hazard: a tree is taken for the next snapshot's while somebody else names or gets it, or the host
 * goes down when it is half taken apart.
 */
final class HotTreesTakenAwayTest {
  private static final SnapshotId SNAPSHOT = SnapshotId.random();

  @TempDir private Path directory;
  private Staging staging = new Staging(Path.of("/"));

  /** What happens before the local disk does something. */
  private interface Before {
    void call(String method, Object[] arguments) throws Exception;
  }

  @BeforeEach
  void makeStaging() throws IOException {
    staging = new Staging(Files.createDirectory(directory.resolve(Staging.NAME)));
  }

  @Test
  void anEndOfARunIsAdoptedMeanwhile() throws Exception {
    Path hot = staging.hot(SNAPSHOT.value());
    List<Thread> takers = new ArrayList<>();
    List<Runnable> taking = new ArrayList<>();
    HotTrees trees =
        on((method, arguments) -> {
          if (method.equals("rename") && arguments[0].equals(hot) && takers.isEmpty()) {
            takers.add(Thread.ofPlatform().start(taking.getFirst()));
            takers.getFirst().join(Duration.ofMillis(200));
          }
        });
    trees.adopt(frozen("one"), SNAPSHOT, List.of(), List.of());
    HotTree before = Objects.requireNonNull(trees.idle(staging, SNAPSHOT));
    taking.add(() -> take(trees, before));

    trees.adopt(frozen("two"), SNAPSHOT, List.of(), List.of());

    takers.getFirst().join();
    assertThat(hot.resolve("two")).exists();
  }

  @Test
  void thatItIsTakenApartIsOnTheDiskBefore() throws Exception {
    List<String> calls = new ArrayList<>();
    HotTrees trees = on((method, arguments) -> calls.add(method + " " + last(arguments)));
    trees.adopt(frozen("one"), SNAPSHOT, List.of(), List.of());
    trees.force(staging);
    HotTree before = Objects.requireNonNull(trees.idle(staging, SNAPSHOT));
    calls.clear();

    Path taken = Objects.requireNonNull(trees.takeAway(before));

    assertThat(calls)
        .containsSubsequence(
            "rename unforced",
            "forceDirectory " + staging.directory().getFileName(),
            "rename " + taken.getFileName());
    disk().rename(taken, before.path());
    assertThat(trees("second", disk()).list(staging)).isEmpty();
  }

  @Test
  void aFullDiskThatHasNoRoomForTheNoteLeavesItAlone() throws Exception {
    List<String> refused = new ArrayList<>();
    HotTrees trees =
        on((method, _) -> {
          if (refused.contains(method)) {
            throw new DiskFullException(Path.of("/"), new IOException("no space"));
          }
        });
    trees.adopt(frozen("one"), SNAPSHOT, List.of(), List.of());
    trees.force(staging);
    HotTree before = Objects.requireNonNull(trees.idle(staging, SNAPSHOT));
    refused.add("create");

    assertThatThrownBy(() -> trees.takeAway(before)).isInstanceOf(DiskFullException.class);

    assertThat(trees.list(staging)).containsExactly(before);
  }

  private static void take(HotTrees trees, HotTree tree) {
    try {
      trees.takeAway(tree);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path frozen(String file) throws IOException {
    Path frozen = Files.createDirectory(staging.directory().resolve("frozen-tree"));
    Files.createFile(frozen.resolve(file));
    return frozen;
  }

  private static String last(Object[] arguments) {
    return arguments[arguments.length - 1] instanceof Path path
        ? String.valueOf(path.getFileName())
        : "";
  }

  private static Disk disk() {
    return new LocalDisk();
  }

  private HotTrees on(Before before) throws IOException {
    Disk local = disk();
    Disk disk =
        (Disk)
            Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, called, arguments) -> {
                  if (!called.getName().equals("read")) {
                    before.call(called.getName(), arguments);
                  }
                  try {
                    return called.invoke(local, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    return trees("first", disk);
  }

  private HotTrees trees(String boot, Disk disk) throws IOException {
    Path home = directory.resolve("home");
    Keyset keys = new Keyset(new Records(disk()), home.resolve("keys"), InstantSource.system());
    LayerRestorer restorer = new LayerRestorer(new ChunkReader(new MemoryChunkStore()), 1);
    SnapshotStore snapshots = new SnapshotStore(disk(), home, keys);
    return new HotTrees(disk, restorer, snapshots, HotTrees.Unpacked.UNHEARD, boot);
  }
}
