package dev.regen.snapshot.restore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.store.MemoryChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A power cut leaves trees whose newest files have no bytes: nothing may start from them. */
final class HotTreesAfterACrashTest {
  private static final SnapshotId SNAPSHOT = SnapshotId.random();

  @TempDir private Path directory;
  private Staging staging = new Staging(Path.of("/"));

  @BeforeEach
  void tree() throws IOException {
    staging = new Staging(Files.createDirectory(directory.resolve(Staging.NAME)));
    Path frozen = Files.createDirectory(staging.directory().resolve("frozen-tree"));
    inBoot("first").adopt(frozen, SNAPSHOT, List.of(), List.of());
  }

  @Test
  void aTreeOfThisBootIsThere() throws IOException {
    assertThat(inBoot("first").list(staging)).hasSize(1);
  }

  @Test
  void aTreeThatWasNotForcedIsGivenUpAfterAReboot() throws IOException {
    assertThat(inBoot("second").list(staging)).isEmpty();

    Path next = Files.createDirectory(staging.directory().resolve("frozen-next"));
    inBoot("second").adopt(next, SNAPSHOT, List.of(), List.of());
    assertThat(inBoot("second").list(staging)).hasSize(1);
  }

  @Test
  void aTreeThatWasForcedBeforeTheHostWentDownStays() throws IOException {
    inBoot("first").force(staging);

    assertThat(inBoot("second").list(staging)).hasSize(1);
  }

  @Test
  void aTreeIsForcedAtOnceWhereAFullDiskHasNoRoomForTheNote() throws IOException {
    inBoot("first").force(staging);
    List<String> forced = new ArrayList<>();
    Disk full = refusing("create", "forceFileSystem", forced);
    Path next = Files.createDirectory(staging.directory().resolve("frozen-next"));

    hotTrees(full, "first").adopt(next, SNAPSHOT, List.of(), List.of());

    assertThat(forced).containsExactly("forceFileSystem");
    assertThat(inBoot("second").list(staging)).hasSize(1);
  }

  /** The local disk, on which nothing new fits. */
  private static Disk refusing(String method, String noted, List<String> calls) {
    LocalDisk disk = new LocalDisk();
    return (Disk)
        Proxy.newProxyInstance(
            Disk.class.getClassLoader(),
            new Class<?>[] {Disk.class},
            (_, called, arguments) -> {
              if (called.getName().equals(method)) {
                throw new DiskFullException(Path.of("/"), new IOException("no space"));
              }
              if (called.getName().equals(noted)) {
                calls.add(noted);
              }
              try {
                return called.invoke(disk, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private HotTrees inBoot(String boot) throws IOException {
    return hotTrees(new LocalDisk(), boot);
  }

  private HotTrees hotTrees(Disk disk, String boot) throws IOException {
    Path home = directory.resolve("home");
    Keyset keys = new Keyset(new Records(disk), home.resolve("keys"), InstantSource.system());
    LayerRestorer restorer = new LayerRestorer(new ChunkReader(new MemoryChunkStore()), 1);
    return new HotTrees(
        disk, restorer, new SnapshotStore(disk, home, keys), HotTrees.Unpacked.UNHEARD, boot);
  }
}
