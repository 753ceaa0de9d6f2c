package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that docker cp puts into a container that does not run, and other ways around a run. */
@EngineTest
class CopiedInEngineTest {
  private final Host host;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path outside;

  CopiedInEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void fileCopiedInBeforeTheFirstStartIsLaidOverTheTail() throws IOException, InterruptedException {
    host.desk("create", "echo a >/root/a; echo old >/root/copied; rm -r /lower").ok();
    Path file = Files.writeString(outside.resolve("copied"), "new\n");
    host.docker(
            "create",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=create",
            Host.IMAGE,
            "sh",
            "-c",
            "cat /root/a /root/copied; test ! -e /lower")
        .ok();
    host.docker("cp", file.toString(), "create:/root/copied").ok();

    assertThat(host.docker("start", "-a", "create").ok()).isEqualTo("a\nnew");
  }

  @Test
  void directoryCopiedInWhereTheTailDeletedOneHidesWhatTheImageHas()
      throws IOException, InterruptedException {
    host.desk("hide", "rm -r /lower").ok();
    Path directory = Files.createDirectories(outside.resolve("lower"));
    Files.writeString(directory.resolve("mine"), "mine\n");
    host.docker(
            "create",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=hide",
            Host.IMAGE,
            "ls",
            "/lower")
        .ok();
    host.docker("cp", directory.toString(), "hide:/").ok();

    assertThat(host.docker("start", "-a", "hide").ok().lines()).contains("mine");
    assertThat(host.desk("hide", "ls /lower").ok().lines()).contains("mine");
  }

  @Test
  void fileCopiedIntoAStoppedContainerIsThereAndInTheNextSnapshot()
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "--runtime=regen",
            "--network=none",
            "--name=stopped",
            Host.IMAGE,
            "sh",
            "-c",
            "echo a >>/root/a; cat /root/*")
        .ok();
    Path file = Files.writeString(outside.resolve("b"), "b\n");
    host.docker("cp", file.toString(), "stopped:/root/b").ok();

    assertThat(host.docker("start", "-a", "stopped").ok()).isEqualTo("a\na\nb");
    host.docker("rm", "stopped").ok();
    host.awaitIdle();
    assertThat(host.desk("stopped", "cat /root/a /root/b").ok()).isEqualTo("a\na\nb");
  }
}
