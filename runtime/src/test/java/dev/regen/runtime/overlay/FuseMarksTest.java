package dev.regen.runtime.overlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the real fuse-overlayfs wrote, without its marks, is to the kernel's overlay the same. */
final class FuseMarksTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String LISTING =
      "find . ! -path . -printf '%P|%y|%m|%U|%s|%T@|' -exec getfattr -h -d -m user {} ';' -printf '\\n' | sort;"
          + " cat $(find . -type f | sort)";

  @SuppressWarnings("NullAway.Init")
  private Path root;

  @BeforeEach
  void start() throws IOException, InterruptedException {
    assumeTrue(Files.isWritable(Path.of("/var/lib")), "needs root: it mounts");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/fuse-overlayfs")), "needs fuse-overlayfs");
    root = Files.createTempDirectory(Path.of("/var/lib"), "regen-test-");
    sh(
        """
        mkdir -p top/shown low/replaced/in low/shown low/changed low/gone upper work merged
        echo low | tee low/replaced/a low/replaced/in/b low/shown/c low/changed/d low/gone/e >low/f
        mknod top/gone c 0 0
        fuse-overlayfs -o lowerdir=top:low,upperdir=upper,workdir=work merged 2>/dev/null
        """);
  }

  @AfterEach
  void stop() throws IOException {
    for (Path at : List.of(root.resolve("merged"), root.resolve("plain"))) {
      while (MountTable.read().at(at) != null) {
        Mount.detach(at);
      }
    }
    TreeRemoval.remove(root);
  }

  @Test
  void treeIsTheSameToOverlay() throws IOException, InterruptedException {
    sh(
        """
        cd merged
        rm -r replaced; mkdir replaced; echo new >replaced/n
        rm shown/c; chmod 600 f; setfattr -n user.mine -v 1 f; echo more >>changed/d; ln f again
        mkdir -p new/deep gone; echo x >new/deep/x; mkfifo fifo; ln -s nowhere link
        find . -exec touch -hd @1000 {} +
        """);
    String seen = sh("cd merged; " + LISTING);

    FuseMarks.remove(upper(), lowers(), LIMIT);

    assertThat(sh("find upper -name '.wh.*'; getfattr -Rhdm fuseoverlayfs upper")).isEmpty();
    assertThat(sh("getfattr -Rhm overlay.opaque --absolute-names upper | grep file:; true"))
        .isEqualTo("# file: upper/replaced\n");
    assertThat(
            sh(
                """
                mkdir plain work2
                mount -t overlay overlay -o lowerdir=top:low,upperdir=upper,workdir=work2 plain
                cd plain;\
                """
                    + LISTING))
        .isEqualTo(seen);
  }

  @Test
  void directoryStaysOpaqueWhereALayerBelowIsGone() throws IOException, InterruptedException {
    sh("ln -s nowhere removed; cd merged; rm -r replaced; mkdir replaced; mkdir new");

    FuseMarks.remove(upper(), List.of(root.resolve("removed"), root.resolve("top")), LIMIT);

    try (Fd replaced = Fd.directory(upper().resolve("replaced"))) {
      assertThat(Whiteouts.opacity(replaced)).isEqualTo(Whiteouts.Opacity.OPAQUE);
    }
  }

  @Test
  void deletionOfAProcessThatMayMakeNoDeviceIsOneToOverlayToo()
      throws IOException, InterruptedException {
    sh("touch upper/.wh.f");

    FuseMarks.remove(upper(), lowers(), LIMIT);

    assertThat(Whiteouts.isDevice(Fd.stat(upper().resolve("f")))).isTrue();
    assertThat(upper().resolve(".wh.f")).doesNotExist();
  }

  private Path upper() {
    return root.resolve("upper");
  }

  private List<Path> lowers() {
    return List.of(root.resolve("top"), root.resolve("low"));
  }

  private String sh(String script) throws IOException, InterruptedException {
    Process shell =
        new ProcessBuilder("sh", "-ec", script)
            .directory(root.toFile())
            .redirectErrorStream(true)
            .start();
    String out = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor()).as(out).isZero();
    return out;
  }
}
