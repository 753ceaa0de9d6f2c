package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Ends a container in each way there is; what it wrote is there at the next run, and why it ended.
 */
@EngineTest
class EveryEndIsKeptEngineTest {
  private final Host host;

  EveryEndIsKeptEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void exitWithZeroKeepsFilesAndDeletions() throws IOException, InterruptedException {
    host.desk("zero", "echo a >/root/a; rm /lower/deleted; mkdir /work").ok();

    assertThat(host.desk("zero", "cat /root/a; ls /lower; test -d /work").ok())
        .isEqualTo("a\nkept");
    assertThat(last("zero")).isEqualTo("exited 0 yes");
  }

  @Test
  void exitWithAnotherCodeKeepsTheState() throws IOException, InterruptedException {
    assertThat(host.desk("seven", "echo a >/root/a; exit 7").code()).isEqualTo(7);

    assertThat(last("seven")).isEqualTo("exited 7 no");
    assertThat(host.desk("seven", "cat /root/a").ok()).isEqualTo("a");
  }

  @Test
  void dockerStopKeepsTheState() throws IOException, InterruptedException {
    background("stopped", "trap 'echo bye >/root/bye; exit 3' TERM; echo a >/root/a; " + IDLE);
    host.docker("stop", "-t", "20", "stopped").ok();

    assertThat(last("stopped")).isEqualTo("stopped 3 yes");
    assertThat(host.desk("stopped", "cat /root/a /root/bye").ok()).isEqualTo("a\nbye");
  }

  @Test
  void dockerRestartOfAContainerWithRmGoesOnFromItsState()
      throws IOException, InterruptedException {
    background("twice", "trap 'exit 0' TERM; echo a >>/root/a; rm -f /lower/deleted; " + IDLE);
    host.docker("restart", "-t", "20", "twice").ok();
    // The engine may still hold the task that ended for a moment.
    String more = "cat /root/a; ls /lower; echo more >/root/more";
    Host.await(
        "the container to run again",
        () -> host.docker("exec", "twice", "sh", "-c", more).out().strip().equals("a\na\nkept"));
    host.docker("stop", "-t", "20", "twice").ok();

    assertThat(host.snapshots("twice")).hasSize(2);
    assertThat(host.desk("twice", "cat /root/a /root/more; ls /lower").ok())
        .isEqualTo("a\na\nmore\nkept");
  }

  @Test
  void dockerKillKeepsTheState() throws IOException, InterruptedException {
    background("killed", "echo a >/root/a; " + IDLE);
    host.docker("kill", "killed").ok();

    assertThat(last("killed")).isEqualTo("killed 137 unknown");
    assertThat(host.desk("killed", "cat /root/a").ok()).isEqualTo("a");
  }

  @Test
  void removalByForceKeepsTheState() throws IOException, InterruptedException {
    background("forced", "echo a >/root/a; " + IDLE);
    host.docker("rm", "-f", "forced").ok();

    assertThat(last("forced")).startsWith("killed");
    assertThat(host.desk("forced", "cat /root/a").ok()).isEqualTo("a");
  }

  @Test
  void deathForWantOfMemoryKeepsTheState() throws IOException, InterruptedException {
    var result =
        host.docker(
            "run",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=hungry",
            "-m=20m",
            Host.IMAGE,
            "sh",
            "-c",
            "echo a >/root/a; tail /dev/zero");

    assertThat(result.code()).isNotZero();
    assertThat(last("hungry")).startsWith("oom").endsWith("no");
    assertThat(host.desk("hungry", "cat /root/a").ok()).isEqualTo("a");
  }

  @Test
  void deathOfTheShimKeepsTheStateAndLeavesNoProcess() throws IOException, InterruptedException {
    String id = background("shim", "echo a >/root/a; sleep 98765");
    Command.run(Map.of(), "pkill", "-9", "-f", "containerd-shim.*" + id).ok();
    Host.await("the container to be gone", () -> host.docker("inspect", "shim").code() != 0);

    assertThat(last("shim")).startsWith("crashed").endsWith("no");
    assertThat(Command.run(Map.of(), "pgrep", "-f", "sleep 98765").out()).isEmpty();
    assertThat(host.desk("shim", "cat /root/a").ok()).isEqualTo("a");
  }

  @Test
  void commandThatDoesNotExistIsNoEnd() throws IOException, InterruptedException {
    host.desk("typo", "echo a >/root/a").ok();
    int before = host.snapshots("typo").size();

    var result =
        host.docker("run", "--runtime=regen", "--rm", "--name=typo", Host.IMAGE, "/no/such");

    assertThat(result.code()).isEqualTo(127);
    assertThat(host.snapshots("typo")).hasSize(before);
    assertThat(host.desk("typo", "cat /root/a").ok()).isEqualTo("a");
    assertThat(Files.exists(host.home().resolve("queues/typo/queue.json"))).isTrue();
  }

  @Test
  void restartPolicyGoesOnWithItsOwnState() throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--network=none",
            "--restart=always",
            "--name=again",
            Host.IMAGE,
            "sh",
            "-c",
            "echo run >>/root/runs; sleep 0.2; exit 1")
        .ok();
    Host.await(
        "three runs",
        () -> host.docker("cp", "again:/root/runs", "-").out().split("run\n", -1).length > 4);
    host.docker("rm", "-f", "again").ok();

    assertThat(host.snapshots("again")).isNotEmpty();
    long runs = host.desk("again", "cat /root/runs").ok().lines().count();
    assertThat(runs).isGreaterThanOrEqualTo(3);
  }

  @Test
  void keptContainerIsCapturedAtEachStop() throws IOException, InterruptedException {
    background("stays", "--keep", "echo a >>/root/a; " + IDLE);
    host.docker("stop", "-t", "0", "stays").ok();
    host.docker("start", "stays").ok();
    Host.await(
        "the second run to write",
        () -> host.docker("exec", "stays", "cat", "/root/a").out().equals("a\na\n"));
    host.docker("stop", "-t", "0", "stays").ok();

    assertThat(host.snapshots("stays")).hasSize(2);
    host.docker("rm", "stays").ok();
    assertThat(host.desk("stays", "cat /root/a").ok()).isEqualTo("a\na");
  }

  private static final String IDLE = "while :; do sleep 0.1; done";

  /** Starts a container in the background; its id, once its script has written /root/a. */
  private String background(String... nameAndScript) throws IOException, InterruptedException {
    String name = nameAndScript[0];
    boolean keep = nameAndScript.length == 3;
    String script = nameAndScript[nameAndScript.length - 1];
    String id =
        host.docker(
                "run",
                "-d",
                "--runtime=regen",
                keep ? "--rm=false" : "--rm",
                "--network=none",
                "--name",
                name,
                Host.IMAGE,
                "sh",
                "-c",
                script)
            .ok();
    Host.await(
        name + " to write", () -> host.docker("exec", name, "test", "-s", "/root/a").code() == 0);
    return id;
  }

  /** Reason, exit code and goodness of the newest snapshot. */
  private String last(String queue) throws IOException, InterruptedException {
    JsonObject tail = host.snapshots(queue).getLast();
    return tail.string("reason")
        + " "
        + (tail.has("exitCode") ? tail.number("exitCode") : "-")
        + " "
        + tail.string("good");
  }
}
