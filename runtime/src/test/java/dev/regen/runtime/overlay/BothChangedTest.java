package dev.regen.runtime.overlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tree on a new image: real layers below, whiteouts and opaque directories included. */
final class BothChangedTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @Test
  void pathsThatBothChangedAreNamedAndNoOthers() throws IOException, InterruptedException {
    assumeTrue("root".equals(System.getProperty("user.name")), "whiteouts take root");
    bash(
        """
        mkdir -p base/etc base/lib/x base/gone base/same old/etc new/etc new/lib new/opq tree
        cd base; echo 1 > etc/conf; echo 1 > etc/other; echo 1 > lib/x/a; echo 1 > gone/f
        echo 1 > same/f; echo 1 > deleted; echo 1 > replaced; mkdir opq; echo 1 > opq/in; cd ..
        echo old > old/etc/added
        echo 22 > new/etc/conf; mknod new/gone c 0 0; echo 22 > new/deleted; echo n > new/created
        mknod new/replaced c 0 0; setfattr -n trusted.overlay.opaque -v y new/opq
        echo new > new/opq/in; ln -s /etc new/link
        cp -a tree t2; cd tree; mkdir -p etc lib/x gone same opq link
        echo mine > etc/conf; echo mine > etc/other; echo mine > lib/x/a; echo mine > gone/f
        echo mine > same/f; mknod deleted c 0 0; mkdir replaced; echo mine > created
        echo mine > opq/in; echo mine > link/f; echo mine > own; echo mine > etc/added
        """);

    BothChanged.Found found =
        BothChanged.find(
            path("tree"),
            List.of(path("old"), path("base")),
            List.of(path("new"), path("base")),
            100,
            LONG);

    assertThat(found.cut()).isFalse();
    assertThat(found.paths())
        .containsExactlyInAnyOrder(
            "/etc/conf",
            "/etc/added",
            "/gone/f",
            "/deleted",
            "/replaced",
            "/created",
            "/opq/in",
            "/link");
  }

  @Test
  void boundsCutTheListAndSaySo() throws IOException {
    for (int i = 0; i < 50; i++) {
      Files.createDirectories(path("new"));
      Files.createDirectories(path("tree"));
      Files.createDirectories(path("old"));
      Files.writeString(path("new").resolve("f" + i), "");
      Files.writeString(path("tree").resolve("f" + i), "");
    }

    BothChanged.Found few = find(10, LONG);
    BothChanged.Found late = find(100, Duration.ZERO);
    BothChanged.Found all = find(100, LONG);

    assertThat(few.paths()).hasSize(10);
    assertThat(few.cut()).isTrue();
    assertThat(late.cut()).isTrue();
    assertThat(all.paths()).hasSize(50);
    assertThat(all.cut()).isFalse();
  }

  private BothChanged.Found find(int limit, Duration time) throws IOException {
    return BothChanged.find(path("tree"), List.of(path("old")), List.of(path("new")), limit, time);
  }

  private Path path(String name) {
    return directory.resolve(name);
  }

  private void bash(String script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("bash", "-ec", script).directory(directory.toFile()).inheritIO().start();
    assertThat(process.waitFor()).isZero();
  }
}
