package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Where the front can write no mark beside a run's record, containers start and end all the same.
 */
final class FrontDiskFullTest {
  private static final String ID = "c0ffee";

  @SuppressWarnings("NullAway.Init")
  private Path root;

  @SuppressWarnings("NullAway.Init")
  private Path run;

  @BeforeEach
  void fullDisk() throws IOException {
    assumeTrue(Files.isWritable(Path.of("/var/lib")), "needs root: it mounts a file system");
    root = Files.createTempDirectory(Path.of("/var/lib"), "regen-test-");
    Path home = Files.createDirectory(root.resolve("home"));
    // As many inodes as its root, the directories and what put-away needs.
    Mount.mount("tmpfs", home, "tmpfs", 0, Fd.bytes("size=64k,nr_inodes=5"));
    run = Files.createDirectories(home.resolve("runs").resolve(ID));
    Files.createDirectory(root.resolve("bin"));
    Path front = root.resolve("bin/regen-runtime");
    Files.copy(Path.of("src/main/sh/regen-runtime"), front);
    Files.setPosixFilePermissions(front, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path runc = Files.writeString(root.resolve("runc"), "#!/bin/sh\necho runc \"$@\"\n");
    Files.setPosixFilePermissions(runc, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.write(
        root.resolve("runtime.conf"),
        List.of("REGEN_RUNC=" + runc, "REGEN_HOME=" + home, "REGEN_RUN=" + root));
  }

  @AfterEach
  void unmount() throws IOException, InterruptedException {
    Mount.detach(root.resolve("home"));
    new ProcessBuilder("rm", "-rf", root.toString()).start().waitFor();
  }

  @Test
  void startReachesRunc() throws IOException, InterruptedException {
    fill();

    assertThat(front("start")).endsWith("runc start " + ID + "\n");
    assertThat(run.resolve("started")).doesNotExist();
  }

  @Test
  void deleteReachesRuncAndTheLayerStaysWhereItIs() throws IOException, InterruptedException {
    Path upper = Files.createDirectory(root.resolve("upper"));
    Files.createFile(run.resolve("started"));
    Files.writeString(run.resolve("put-away"), upper + "\n" + root.resolve("away") + "\n");
    fill();

    assertThat(front("delete")).endsWith("runc delete " + ID + "\n");
    assertThat(upper).isDirectory();
    assertThat(root.resolve("away")).doesNotExist();
  }

  private void fill() {
    try {
      for (int file = 0; file < 10; file++) {
        Files.createFile(run.resolveSibling("filling-" + file));
      }
      throw new AssertionError("the disk is not full");
    } catch (IOException e) {
      // No inode is left.
    }
  }

  private String front(String verb) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(root.resolve("bin/regen-runtime").toString(), verb, ID)
            .redirectErrorStream(true)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }
}
