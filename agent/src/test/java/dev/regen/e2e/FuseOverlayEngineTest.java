package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Docker's storage driver fuse-overlayfs, whose unions only it can mount, and which leaves marks of
 * its own in uppers.
 */
@Tag("long")
@EngineTest(storageDriver = "fuse-overlayfs")
final class FuseOverlayEngineTest extends CopiedRoots {
  private static final int STRIDE = Integer.getInteger("regen.crash.hook.stride", 17);

  private final Host host;

  FuseOverlayEngineTest(Host host) {
    super(host);
    this.host = host;
  }

  @BeforeAll
  static void driverIsThere() {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/fuse-overlayfs")), "needs fuse-overlayfs");
  }

  @Test
  void replacedDirectoryIsThatAndNothingOfTheDriversIsInTheSnapshot()
      throws IOException, InterruptedException {
    host.desk(
            "marks",
            "rm -r /lower; mkdir /lower; echo 1 >/lower/n; mkdir -p /new/deep; chmod 700 /etc/passwd")
        .ok();
    host.snapshots("marks");
    Path tar = host.shared().resolve("marks.tar");

    host.regen("export", "marks@latest", "-o", tar.toString()).ok();

    List<String> names =
        Command.run(java.util.Map.of(), "tar", "-tf", tar.toString()).ok().lines().toList();
    assertThat(names)
        .contains("lower/", "lower/.wh..wh..opq", "lower/n", "new/deep/")
        .doesNotContain("new/.wh..wh..opq")
        .noneMatch(name -> name.contains(".wh..wh.regen"));
    assertThat(Files.readString(tar, java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("fuseoverlayfs");
    assertThat(host.desk("marks", "ls /lower; stat -c %a /etc/passwd").ok()).isEqualTo("n\n700");
  }

  @Test
  void workingDirectoryThatTheEngineMadeHidesNothing() throws IOException, InterruptedException {
    host.desk("workdir", "mkdir /work; echo 1 >/work/n").ok();

    String said =
        host.docker(
                "run",
                "--runtime=regen",
                "--rm",
                "--network=none",
                "--name=workdir",
                "--workdir=/work",
                Host.IMAGE,
                "cat",
                "n")
            .ok();

    assertThat(said).isEqualTo("1");
  }

  @Test
  void containerWithRmThatIsRestartedDoesNotStartAndLosesNothing()
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=again",
            Host.IMAGE,
            "sh",
            "-c",
            "echo 1 >>/root/n; sleep 1000")
        .ok();
    Host.await("the file", () -> host.docker("exec", "again", "cat", "/root/n").code() == 0);

    Command.Result restarted = host.docker("restart", "-t", "0", "again");

    assertThat(restarted.code()).isNotZero();
    assertThat(restarted.err()).contains("fuse-overlayfs still shows", "run it again");
    List<JsonObject> snapshots = host.snapshots("again");
    assertThat(snapshots).hasSize(1);
    host.docker("rm", "-f", "again");
    assertThat(host.desk("again", "cat /root/n").ok()).isEqualTo("1");
  }

  @Test
  @Tag("long")
  void startWhoseHookDiesHasTheWholeStateOrIsRefusedAndTheNextHasIt()
      throws IOException, InterruptedException {
    host.desk("dies", "for i in $(seq 50); do echo $i >/root/$i; done; rm /lower/kept").ok();
    String all = "50\n/lower";
    boolean killed = true;
    int refused = 0;
    for (int crashAt = CrashPoints.first(STRIDE); killed; crashAt += STRIDE) {
      assertThat(crashAt).isLessThan(200);
      host.awaitIdle();
      host.stopAgent(false);
      host.killHooks("create", crashAt, false);

      Command.Result result = look("dies");

      killed = host.isHookKilled();
      refused += result.code() == 0 ? 0 : 1;
      host.startAgent();
      String at = "killed at change " + crashAt;
      assertThat(result.code() == 0 ? result.out().strip() : all).as(at).isEqualTo(all);
      if (result.code() != 0) {
        assertThat(result.err()).as(at).contains("run it again");
      }
      assertThat(look("dies").ok()).as(at).isEqualTo(all);
      assertThat(host.regen("verify", "dies").ok()).as(at).isNotEmpty();
    }
    assertThat(refused).as("starts that broke off while files were put in").isPositive();
  }

  private Command.Result look(String name) throws IOException, InterruptedException {
    return host.docker(
        "run",
        "--runtime=regen",
        "--rm",
        "--network=none",
        "--name=" + name,
        "--label=regen.on-failure=refuse",
        Host.IMAGE,
        "sh",
        "-c",
        "ls /root | wc -l; ls -d /lower /lower/kept 2>/dev/null; true");
  }
}
