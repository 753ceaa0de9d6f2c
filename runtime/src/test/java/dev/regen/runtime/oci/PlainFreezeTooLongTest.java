package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A comparison that a hook has no time for, on a root that its engine removes right after. */
final class PlainFreezeTooLongTest {
  private static final int FILES = 500;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @Test
  void rootThatIsADirectoryIsComparedAfterItsEngineHasRemovedIt() throws IOException {
    Path layers = Files.createDirectories(directory.resolve("vfs/dir"));
    Path base = layer(Files.createDirectory(layers.resolve("a-init")));
    Path root = layer(Files.createDirectory(layers.resolve("a")));

    comparesWhatItsEngineRemoves(root, base);
  }

  @Test
  void rootThatIsASubvolumeIsComparedAfterItsEngineHasRemovedIt()
      throws IOException, InterruptedException {
    Path image = directory.resolve("btrfs.img");
    Path mounted = Files.createDirectory(directory.resolve("mounted"));
    assumeTrue(
        run("truncate", "-s", "128M", image.toString())
            && run("mkfs.btrfs", "-q", image.toString())
            && run("mount", "-o", "loop", image.toString(), mounted.toString()),
        "needs root and btrfs");
    try {
      Path layers = Files.createDirectories(mounted.resolve("btrfs/subvolumes"));
      Path base = layers.resolve("a-init");
      Path root = layers.resolve("a");
      assertThat(run("btrfs", "-q", "subvolume", "create", base.toString())).isTrue();
      layer(base);
      assertThat(run("btrfs", "-q", "subvolume", "snapshot", base.toString(), root.toString()))
          .isTrue();

      comparesWhatItsEngineRemoves(root, base);
    } finally {
      run("umount", mounted.toString());
    }
  }

  private void comparesWhatItsEngineRemoves(Path root, Path base) throws IOException {
    Files.writeString(root.resolve("written"), "mine");
    Files.delete(root.resolve("f7"));
    PlainRoot plain = new PlainRoot(root, base, null);
    RunRecord run = ending(plain);
    PlainFreeze freeze =
        new PlainFreeze(
            new LocalDisk(), new RunRecords(new LocalDisk(), directory.resolve("runs")));
    assertThatThrownBy(() -> freeze.finish(run, plain, Duration.ZERO))
        .isInstanceOf(LinkedTree.TooLong.class);
    PlainRoot.remove(root);
    PlainRoot.remove(base);

    FrozenLayer layer = freeze.finish(run, plain, Duration.ofMinutes(1));

    assertThat(layer.upperInode()).isEqualTo(Fd.stat(layer.tree()).inode());
    assertThat(layer.tree().resolve("written")).hasContent("mine");
    assertThat(new LocalDisk().list(layer.tree())).hasSize(2);
    assertThat(new LocalDisk().list(Staging.around(layer.tree()).directory()))
        .containsExactly(layer.tree());
    TreeRemoval.remove(layer.tree());
  }

  private RunRecord ending(PlainRoot root) throws IOException {
    ContainerId container = new ContainerId("a");
    QueueName queue = new QueueName("desk");
    LayerFacts facts = new LayerFacts(container, queue, 5);
    RunFacts runFacts =
        new RunFacts(facts, "desk", "boot", Instant.EPOCH, directory, directory, root, true, true);
    FrozenLayer layer =
        new FrozenLayer(
            Staging.jobName(queue, Instant.EPOCH, container),
            facts,
            Staging.of(root.root()).frozen(queue, Instant.EPOCH, container),
            Kind.EXCHANGED,
            Fd.stat(root.root()).inode(),
            SeenRun.between(null, Instant.EPOCH),
            List.of());
    Files.createDirectories(directory.resolve("runs/a"));
    return new RunRecord(runFacts, RunRecord.State.ENDING, null, layer, List.of(), null);
  }

  /** A layer of files that are the same in each layer. */
  private static Path layer(Path layer) throws IOException {
    for (int i = 0; i < FILES; i++) {
      Path file = Files.writeString(layer.resolve("f" + i), "of the image");
      Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.from(Instant.EPOCH));
    }
    return layer;
  }

  private static boolean run(String... words) throws IOException, InterruptedException {
    return new ProcessBuilder(words).redirectErrorStream(true).start().waitFor() == 0;
  }
}
