package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that no tree can be renamed to or from, each being a file system of its own. */
final class LayerOnOwnMountTest {
  private static final int LAYER_BYTES = 1 << 20;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final List<Path> layers = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private OverlayHost host;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Files.isWritable(Path.of("/proc/sys/vm/drop_caches")), "needs root");
    host = new OverlayHost(directory);
  }

  @AfterEach
  void stop() throws IOException {
    host.close();
    for (Path layer : layers) {
      if (MountTable.read().at(layer) != null) {
        Mount.detach(layer);
      }
    }
  }

  @Test
  void threeRunsRememberFilesAndDeletionsByCopies() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created(true);
    assertThat(Staging.reaches(first.upper())).isFalse();
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    Files.createLink(first.merged().resolve("again"), first.merged().resolve("state"));
    end(extension, first);

    OverlayHost.Created second = created(true);
    assertThat(extension.handle(second.call(Verb.CREATE, false))).isEqualTo(new Answer.Go());
    host.started(second);
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(Files.getAttribute(second.merged().resolve("again"), "unix:ino"))
        .isEqualTo(Files.getAttribute(second.merged().resolve("state"), "unix:ino"));
    Files.writeString(second.merged().resolve("more"), "of the second run");
    end(extension, second);

    OverlayHost.Created third = created(true);
    assertThat(extension.handle(third.call(Verb.CREATE, false))).isEqualTo(new Answer.Go());
    assertThat(third.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(third.merged().resolve("state")).hasContent("mine");
    assertThat(third.merged().resolve("more")).hasContent("of the second run");
    assertThat(host.told).anyMatch(told -> told.contains("nothing can be renamed"));
  }

  @Test
  void containerThatStaysIsCopiedToo() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created(false);
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    extension.handle(first.call(Verb.DELETE, false));
    host.gone(first);
    host.archive();

    OverlayHost.Created second = created(true);
    extension.handle(second.call(Verb.CREATE, false));

    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(second.merged().resolve("state")).hasContent("mine");
  }

  @Test
  void treeTakesThePlaceOfSuchAnUpperByACopyOrChangesNothing() throws IOException {
    OverlayHost.Created first = created(false);
    Files.writeString(first.upper().resolve("before"), "mine");
    Mount.detach(first.merged());
    Path tree = Files.createDirectories(Staging.of(first.upper()).building());
    Files.writeString(tree.resolve("after"), "of the snapshot");

    Path old = UpperExchange.exchange(new LocalDisk(), tree, first.upper());

    assertThat(first.upper().resolve("after")).hasContent("of the snapshot");
    assertThat(first.upper().resolve("before")).doesNotExist();
    assertThat(old.resolve("before")).hasContent("mine");
    assertThat(UpperExchange.isInLayer(old)).isTrue();

    Path large = Files.createDirectories(Staging.of(first.upper()).building());
    Files.write(large.resolve("large"), new byte[LAYER_BYTES + 1]);
    assertThatThrownBy(() -> UpperExchange.exchange(new LocalDisk(), large, first.upper()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no space left")
        .hasMessageContaining("nothing is changed");
    assertThat(first.upper().resolve("after")).hasContent("of the snapshot");
    assertThat(layer(first)).isDirectoryNotContaining("glob:**.regen*");
    assertThat(host.staged()).isEmpty();
  }

  @Test
  void stateTooLargeForItsLayerIsTakenOutAgainAndStays() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = host.create(true);
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.write(first.merged().resolve("large"), new byte[LAYER_BYTES + 1]);
    extension.handle(first.call(Verb.DELETE, false));
    host.gone(first);
    host.archive();
    OverlayHost.Created second = created(false);

    assertThat(extension.handle(second.call(Verb.CREATE, false))).isEqualTo(new Answer.Go());

    assertThat(host.told)
        .anyMatch(told -> told.contains("starts without its kept state") && told.contains("space"));
    assertThat(second.merged().resolve("large")).doesNotExist();
    assertThat(second.upper()).isEmptyDirectory();
    assertThat(host.staged()).as("the state: %s", host.told).hasSize(1);
  }

  @Test
  void endAfterTheUnionIsGoneKeepsNothingRatherThanHalf() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created(true);
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.writeString(first.merged().resolve("state"), "mine");
    Mount.detach(first.merged());

    extension.handle(first.call(Verb.DELETE, false));

    assertThat(host.told).anyMatch(told -> told.contains("is not kept"));
    assertThat(host.spool().list()).isEmpty();
    assertThat(host.staged()).isEmpty();
  }

  @Test
  void containerThatDoesNotBeginIsAsItWas() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created(true);
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    end(extension, first);
    OverlayHost.Created second = created(false);
    Files.writeString(second.merged().resolve("copied-in"), "mine");
    Files.createSymbolicLink(second.merged().resolve("link"), Path.of("copied-in"));
    extension.handle(second.call(Verb.CREATE, false));
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();

    extension.handle(second.call(Verb.CREATE_FAILED, false));

    assertThat(second.upper().resolve("copied-in")).hasContent("mine");
    assertThat(second.upper().resolve("link")).isSymbolicLink();
    assertThat(second.upper().resolve("etc")).doesNotExist();
  }

  @Test
  void stateSurvivesADeadHookAtEachStepOfAnEnd() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(100);
      OverlayHost.Created container = created(true);
      extension.handle(container.call(Verb.CREATE, false));
      host.started(container);
      for (int before = 1; before < crashAt; before++) {
        assertThat(container.merged().resolve("run" + before)).exists();
      }
      Files.writeString(container.merged().resolve("run" + crashAt), "mine");
      try {
        host.extension(CrashingDisk.dyingAt(crashAt)).handle(container.call(Verb.DELETE, false));
        finished = true;
      } catch (CrashingDisk.Crash e) {
        // The same call again is what end() does.
      }
      end(extension, container);
    }
    assertThat(host.staged()).as("what is left: %s", host.told).hasSize(1);
  }

  @Test
  void stateSurvivesADeadHookAtEachStepOfAStart() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created(true);
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    end(extension, first);
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(100);
      OverlayHost.Created next = created(true);
      Files.writeString(next.upper().resolve("copied-in"), "mine too");
      try {
        host.extension(CrashingDisk.dyingAt(crashAt)).handle(next.call(Verb.CREATE, false));
        finished = true;
      } catch (CrashingDisk.Crash e) {
        assertThat(extension.handle(next.call(Verb.CREATE, false))).isEqualTo(new Answer.Go());
      }
      assertThat(next.merged().resolve("state")).as("crash at %d", crashAt).hasContent("mine");
      assertThat(next.merged().resolve("etc/deleted")).doesNotExist();
      assertThat(next.merged().resolve("copied-in")).hasContent("mine too");
      extension.handle(next.call(Verb.CREATE_FAILED, false));
      assertThat(next.upper().resolve("copied-in")).hasContent("mine too");
      assertThat(next.upper().resolve("state")).doesNotExist();
      Mount.detach(next.merged());
      Mount.detach(layer(next));
      host.gone(next);
    }
    assertThat(host.staged()).as("what is left: %s", host.told).hasSize(1);
  }

  private void end(RuntimeExtension extension, OverlayHost.Created container) throws IOException {
    extension.handle(container.call(Verb.DELETE, false));
    while (MountTable.read().at(container.merged()) != null) {
      Mount.detach(container.merged());
    }
    Mount.detach(layer(container));
    host.gone(container);
    host.archive();
  }

  /** The layer's directory is mounted anew, empty, as engines do with a disk for each container. */
  private OverlayHost.Created created(boolean autoRemove) throws IOException {
    OverlayHost.Created created = host.create(autoRemove);
    Mount.detach(created.merged());
    byte[] options = Fd.bytes("size=" + LAYER_BYTES);
    Mount.mount("tmpfs", layer(created), "tmpfs", 0, options);
    layers.add(layer(created));
    for (String name : List.of("diff", "work", "merged")) {
      Files.createDirectories(layer(created).resolve(name));
    }
    host.mount(created);
    return created;
  }

  private static Path layer(OverlayHost.Created container) {
    return container.bundle().resolveSibling("../docker/overlay2/" + container.id()).normalize();
  }
}
