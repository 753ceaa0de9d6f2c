package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.KnownContainers.Replacement;
import dev.regen.runtime.oci.OverlayHost.Created;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Kills whoever exchanges the layer of a stopped container before the first, second, third ...
 * change to the disk, while some directories of the layer are in the tree that takes its place; the
 * next agent, or the next start without one, finds the layer as it was or as it should be.
 */
final class UpperReplacementCrashTest {
  private static final int CHANGES_MAX = 60;
  private static final String LIST = "find . -mindepth 1 -printf '%P|%y|%s|%T@\\n' | sort";
  private static final String OLD =
      """
      find . -mindepth 1 -delete
      mkdir -p keep/1 keep/2/deep gone
      for d in keep/1 keep/2/deep gone; do echo $d > $d/file; done
      find . -exec touch -d @500 {} +
      touch -d @1000 keep keep/1 keep/2
      """;
  private static final String NEW =
      """
      mkdir keep new
      echo new > new/file
      find . -exec touch -d @600 {} +
      touch -d @2000 keep
      """;

  @AutoClose private final OverlayHost host;

  private int crashAt;

  /** Who comes after the crash. */
  enum Then {
    AGENT,
    START
  }

  UpperReplacementCrashTest() throws IOException {
    host = new OverlayHost();
  }

  @ParameterizedTest
  @EnumSource
  void layerIsWholeAfterACrashAtEachStep(Then then) throws IOException {
    Created container = host.create(false);
    run(container);
    exchange(container, new LocalDisk());
    String wanted = sh(container.upper(), LIST);
    assertThat(wanted).contains("keep/2/deep/file", "new/file").doesNotContain("gone");
    boolean finished = false;
    int old = 0;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      sh(container.upper(), OLD);
      String before = sh(container.upper(), LIST);

      finished = survives(container, CrashingDisk.dyingAt(crashAt));
      if (then == Then.AGENT) {
        host.extension(new LocalDisk()).recover();
      } else {
        host.mount(container);
        host.handle(container, Verb.CREATE);
        assertThat(sh(container.merged(), "find . -type f | sort"))
            .as("killed at change %d; %s", crashAt, host.told)
            .contains("./keep/1/file", "./keep/2/deep/file");
      }

      String after = sh(container.upper(), LIST);
      assertThat(after).as("killed at change %d; %s", crashAt, host.told).isIn(before, wanted);
      old += after.equals(before) ? 1 : 0;
      if (then == Then.START) {
        end(container);
      }
    }
    assertThat(old).as("crashes after which the layer was as before").isPositive();
    assertThat(sh(container.upper(), LIST)).isEqualTo(wanted);
  }

  @Test
  void aStartInTheMiddleSeesTheOneLayerOrTheOther() throws IOException {
    String files = "find . -type f -path './[kgn]*/*' | sort";
    Created container = host.create(false);
    run(container);
    exchange(container, new LocalDisk());
    String wanted = sh(container.upper(), LIST);
    AtomicBoolean mounted = new AtomicBoolean();
    int refused = 0;
    for (int at = 1; at == 1 || mounted.get(); at++) {
      assertThat(at).isLessThan(CHANGES_MAX);
      sh(container.upper(), OLD);
      String before = sh(container.upper(), LIST);
      mounted.set(false);

      refused +=
          survives(container, CrashingDisk.dyingAt(at, () -> mountOnce(container, mounted)))
              ? 0
              : 1;
      if (!mounted.get()) {
        host.mount(container);
      }
      host.handle(container, Verb.CREATE);

      assertThat(sh(container.upper(), LIST)).as("mounted at %d", at).isIn(before, wanted);
      assertThat(sh(container.merged(), files))
          .as("mounted at %d", at)
          .isEqualTo(sh(container.upper(), files));
      end(container);
    }
    assertThat(refused).as("restores that a start came before").isPositive();
  }

  @Test
  void aContainerNeverStartsOnAPartOfItsLayer() throws IOException {
    Created container = host.create(false);
    run(container);
    String before = sh(container.upper(), LIST);
    while (sh(container.upper(), LIST).equals(before)) {
      dieInTheMiddle(container);
    }
    Path bundle = container.bundle().resolve("config.json");
    String config = Files.readString(bundle);
    Files.writeString(bundle, "damaged");
    host.mount(container);

    assertThat(host.handle(container, Verb.CREATE))
        .as("%s", host.told)
        .isInstanceOf(Answer.Refuse.class);

    Files.writeString(bundle, config);
    assertThat(host.handle(container, Verb.CREATE)).isInstanceOf(Answer.Go.class);
    assertThat(sh(container.upper(), LIST)).isEqualTo(before);
  }

  /** Each call dies one change later, until the first directory has moved. */
  private void dieInTheMiddle(Created container) throws IOException {
    crashAt++;
    host.extension(new LocalDisk()).recover();
    assertThat(survives(container, CrashingDisk.dyingAt(crashAt))).isFalse();
  }

  @Test
  void whatARunWithoutAnyHookMadeAnewStaysWhenTheRestIsPutBack() throws IOException {
    Created container = host.create(false);
    run(container);
    String before = sh(container.upper(), LIST);
    while (Files.exists(container.upper().resolve("keep/1"))) {
      dieInTheMiddle(container);
    }
    sh(container.upper(), "mkdir keep/1; echo anew >keep/1/file; rm -r keep/2 2>/dev/null || true");

    host.extension(new LocalDisk()).recover();

    assertThat(sh(container.upper(), "cat keep/1/file")).isEqualTo("anew\n");
    assertThat(before).contains("keep/1/file");
    assertThat(host.staged()).noneMatch(name -> name.startsWith(Staging.PLACING));
  }

  private void mountOnce(Created container, AtomicBoolean mounted) {
    try {
      if (mounted.compareAndSet(false, true)) {
        host.mount(container);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void run(Created container) throws IOException {
    host.handle(container, Verb.CREATE);
    end(container);
    sh(container.upper(), OLD);
  }

  private void end(Created container) throws IOException {
    host.started(container);
    host.end(container);
    host.archive();
  }

  private boolean survives(Created container, Disk disk) {
    try {
      exchange(container, disk);
      return true;
    } catch (CrashingDisk.Crash | IOException e) {
      return false;
    }
  }

  private void exchange(Created container, Disk disk) throws IOException {
    Path tree = Staging.of(container.upper()).building();
    Files.createDirectories(tree);
    sh(tree, NEW);
    List<byte[]> directories = List.of(Fd.bytes("keep/1"), Fd.bytes("keep/2"));
    try {
      new KnownContainers(disk, host.home(), KnownFiles.NONE)
          .replaceUpper(container.id(), Instant.now(), _ -> new Replacement(tree, directories));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static String sh(Path where, String script) throws IOException {
    Process process =
        new ProcessBuilder("bash", "-euc", script)
            .directory(where.toFile())
            .redirectErrorStream(true)
            .start();
    String output =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor()).as(output).isZero();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return output;
  }
}
