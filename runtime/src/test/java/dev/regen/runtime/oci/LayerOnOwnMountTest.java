package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Layers that no tree can be renamed to or from, each being a file system of its own. */
final class LayerOnOwnMountTest {
  private static final int LAYER_BYTES = 1 << 20;

  @AutoClose private final OverlayHost host;

  LayerOnOwnMountTest() throws IOException {
    host = new OverlayHost();
  }

  @Test
  void threeRunsRememberFilesAndDeletionsByCopies() throws IOException {
    Created first = created(true);
    assertThat(Staging.reaches(first.upper())).isFalse();
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    Files.createLink(first.merged().resolve("again"), first.merged().resolve("state"));
    end(first);

    Created second = created(true);
    assertThat(host.handle(second, Verb.CREATE)).isEqualTo(new Answer.Go());
    host.started(second);
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(Files.getAttribute(second.merged().resolve("again"), "unix:ino"))
        .isEqualTo(Files.getAttribute(second.merged().resolve("state"), "unix:ino"));
    Files.writeString(second.merged().resolve("more"), "of the second run");
    end(second);

    Created third = created(true);
    assertThat(host.handle(third, Verb.CREATE)).isEqualTo(new Answer.Go());
    assertThat(third.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(third.merged().resolve("state")).hasContent("mine");
    assertThat(third.merged().resolve("more")).hasContent("of the second run");
    assertThat(host.told).anyMatch(told -> told.contains("nothing can be renamed"));
  }

  @Test
  void containerThatStaysIsCopiedToo() throws IOException {
    Created first = created(false);
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    host.handle(first, Verb.DELETE);
    host.gone(first);
    host.archive();

    Created second = created(true);
    host.handle(second, Verb.CREATE);

    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(second.merged().resolve("state")).hasContent("mine");
  }

  @Test
  void treeTakesThePlaceOfSuchAnUpperByACopyOrChangesNothing() throws IOException {
    Created first = created(false);
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
    Created first = host.create(true);
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.write(first.merged().resolve("large"), new byte[LAYER_BYTES + 1]);
    host.handle(first, Verb.DELETE);
    host.gone(first);
    host.archive();
    Created second = created(false);

    assertThat(host.handle(second, Verb.CREATE)).isEqualTo(new Answer.Go());

    assertThat(host.told)
        .anyMatch(told -> told.contains("starts without its kept state") && told.contains("space"));
    assertThat(second.merged().resolve("large")).doesNotExist();
    assertThat(second.upper()).isEmptyDirectory();
    assertThat(host.staged()).as("the state: %s", host.told).hasSize(1);
  }

  @Test
  void endAfterTheUnionIsGoneKeepsNothingRatherThanHalf() throws IOException {
    Created first = created(true);
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.writeString(first.merged().resolve("state"), "mine");
    Mount.detach(first.merged());

    host.handle(first, Verb.DELETE);

    assertThat(host.told).anyMatch(told -> told.contains("is not kept"));
    assertThat(host.spool().list()).isEmpty();
    assertThat(host.staged()).isEmpty();
  }

  @Test
  void containerThatDoesNotBeginIsAsItWas() throws IOException {
    Created first = created(true);
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    end(first);
    Created second = created(false);
    Files.writeString(second.merged().resolve("copied-in"), "mine");
    Files.createSymbolicLink(second.merged().resolve("link"), Path.of("copied-in"));
    host.handle(second, Verb.CREATE);
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();

    host.handle(second, Verb.CREATE_FAILED);

    assertThat(second.upper().resolve("copied-in")).hasContent("mine");
    assertThat(second.upper().resolve("link")).isSymbolicLink();
    assertThat(second.upper().resolve("etc")).doesNotExist();
  }

  @Test
  void stateSurvivesADeadHookAtEachStepOfAnEnd() throws IOException {
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(100);
      Created container = created(true);
      host.handle(container, Verb.CREATE);
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
      end(container);
    }
    assertThat(host.staged()).as("what is left: %s", host.told).hasSize(1);
  }

  @Test
  void stateSurvivesADeadHookAtEachStepOfAStart() throws IOException {
    Created first = created(true);
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.writeString(first.merged().resolve("state"), "mine");
    end(first);
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(100);
      Created next = created(true);
      Files.writeString(next.upper().resolve("copied-in"), "mine too");
      try {
        host.extension(CrashingDisk.dyingAt(crashAt)).handle(next.call(Verb.CREATE, false));
        finished = true;
      } catch (CrashingDisk.Crash e) {
        assertThat(host.handle(next, Verb.CREATE)).isEqualTo(new Answer.Go());
      }
      assertThat(next.merged().resolve("state")).as("crash at %d", crashAt).hasContent("mine");
      assertThat(next.merged().resolve("etc/deleted")).doesNotExist();
      assertThat(next.merged().resolve("copied-in")).hasContent("mine too");
      host.handle(next, Verb.CREATE_FAILED);
      assertThat(next.upper().resolve("copied-in")).hasContent("mine too");
      assertThat(next.upper().resolve("state")).doesNotExist();
      Mount.detach(next.merged());
      Mount.detach(layer(next));
      host.gone(next);
    }
    assertThat(host.staged()).as("what is left: %s", host.told).hasSize(1);
  }

  private void end(Created container) throws IOException {
    host.handle(container, Verb.DELETE);
    while (MountTable.read().at(container.merged()) != null) {
      Mount.detach(container.merged());
    }
    Mount.detach(layer(container));
    host.gone(container);
    host.archive();
  }

  /** The layer's directory is mounted anew, empty, as engines do with a disk for each container. */
  private Created created(boolean autoRemove) throws IOException {
    Created created = host.create(autoRemove);
    Mount.detach(created.merged());
    byte[] options = Fd.bytes("size=" + LAYER_BYTES);
    Mount.mount("tmpfs", layer(created), "tmpfs", 0, options);
    host.mounted(layer(created));
    for (String name : List.of("diff", "work", "merged")) {
      Files.createDirectories(layer(created).resolve(name));
    }
    host.mount(created);
    return created;
  }

  private static Path layer(Created container) {
    return container.bundle().resolveSibling("../docker/overlay2/" + container.id()).normalize();
  }
}
