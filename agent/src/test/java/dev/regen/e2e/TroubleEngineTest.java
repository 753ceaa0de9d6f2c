package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Regen's own parts are down, dead or damaged; containers run and end, and no state is lost. */
@EngineTest(hostPerTest = true)
final class TroubleEngineTest {
  private final Host host;

  TroubleEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void agentDownEndsAndStartsGoOnAndItsSnapshotsComeLater()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/a").ok();
    host.awaitIdle();
    host.stopAgent(false);

    host.desk("desk", "echo 2 >>/root/a; rm /lower/deleted").ok();
    String third = host.desk("desk", "cat /root/a; ls /lower").ok();
    host.startAgent();

    assertThat(third).isEqualTo("1\n2\nkept");
    assertThat(host.snapshots("desk")).hasSizeGreaterThanOrEqualTo(2);
    assertThat(host.desk("desk", "cat /root/a").ok()).isEqualTo("1\n2");
    assertThat(host.regen("events").ok()).contains("merged into the next run");
  }

  @Test
  void agentKilledLeavesADeadSocketAndPipeAndNothingHangs()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/a").ok();
    host.awaitIdle();
    host.stopAgent(true);

    assertThat(host.desk("desk", "cat /root/a; echo 2 >>/root/a").ok()).isEqualTo("1");
    assertThat(host.regen("ls").code()).isEqualTo(5);
    host.startAgent();
    assertThat(host.desk("desk", "cat /root/a").ok()).isEqualTo("1\n2");
  }

  @Test
  void unwritableSpoolLosesNoLayer() throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/a").ok();
    host.awaitIdle();
    Command.run(Map.of(), "chattr", "+i", host.spool().toString()).ok();

    assertThat(host.desk("desk", "cat /root/a; echo 2 >>/root/a").ok()).isEqualTo("1");
    var refused =
        host.docker(
            "run",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=desk",
            "--label=regen.on-failure=refuse",
            Host.IMAGE,
            "true");
    assertThat(host.desk("desk", "cat /root/a; echo 3 >>/root/a").ok()).isEqualTo("1\n2");
    Command.run(Map.of(), "chattr", "-i", host.spool().toString()).ok();
    host.stopAgent(false);
    host.startAgent();

    assertThat(refused.code()).isNotZero();
    assertThat(refused.err()).contains("the spool takes no jobs");
    host.awaitIdle();
    assertThat(host.desk("desk", "cat /root/a").ok()).isEqualTo("1\n2\n3");
  }

  @Test
  void corruptQueueLetsTheContainerLiveAndTheGoodStateIsTheOneBefore()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/a").ok();
    host.awaitIdle();
    Path file = host.home().resolve("queues/desk/queue.json");
    byte[] good = Files.readAllBytes(file);
    Files.writeString(file, "{");

    var lives = host.desk("desk", "echo alive; echo 9 >/root/clean");
    var refused =
        host.docker(
            "run",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=desk",
            "--label=regen.on-failure=refuse",
            Host.IMAGE,
            "true");
    Files.write(file, good);

    assertThat(lives.ok()).isEqualTo("alive");
    assertThat(refused.code()).isNotZero();
    assertThat(refused.err()).contains("queue.json");
    List<JsonObject> snapshots = host.snapshots("desk");
    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.getFirst().string("good")).isEqualTo("yes");
    assertThat(snapshots.getLast().string("good")).isEqualTo("unknown");
    assertThat(host.regen("show", "desk@latest").ok())
        .satisfies(shown -> assertThat(shown.lines().count()).as(shown).isLessThan(20))
        .contains("what its queue had kept: the run began without it, because")
        .contains("queue.json");
    assertThat(host.regen("events").ok()).contains("its run had begun without the kept state");
    host.regen("restore", "desk", "--at=-1").ok();
    assertThat(host.desk("desk", "cat /root/a").ok()).isEqualTo("1");
    assertThat(host.docker("ps", "-aq").out()).isEmpty();
  }

  @Test
  void neitherAgentNorJavaStillRunsTheContainer() throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/a").ok();
    host.awaitIdle();
    host.stopAgent(true);
    Path conf = host.home().resolveSibling("runtime.conf");
    String before = Files.readString(conf);
    Files.writeString(conf, before + "REGEN_JAVA=/no/such/java\n");

    var runs = host.desk("desk", "echo alive");
    var refused =
        host.docker(
            "run",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=desk",
            "--label=regen.on-failure=refuse",
            Host.IMAGE,
            "true");
    Files.writeString(conf, before);
    host.startAgent();

    assertThat(runs.ok()).isEqualTo("alive");
    assertThat(refused.err()).contains("is not started: neither the Regen agent nor a Java");
    assertThat(host.desk("desk", "cat /root/a").ok()).isEqualTo("1");
  }

  @Test
  void fullDiskLeavesTheTreeAndTheQueueAndIsMadeUpForWhenThereIsRoom()
      throws IOException, InterruptedException {
    String chunks = Files.createDirectories(host.home().resolve("chunks")).toString();
    host.stopAgent(false);
    Command.run(Map.of(), "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", chunks).ok();
    try {
      host.startAgent();
      host.desk("desk", "echo 1 >>/root/a; dd if=/dev/urandom of=/root/r bs=1M count=8").ok();
      Host.await(
          "the capture to fail",
          () -> host.regen("events").out().contains("the disk is full: the end of queue 'desk'"));
      assertThat(host.regen("ls", "desk", "--json").ok()).contains("\"failed\"");
      assertThat(host.dataRoot().resolve("regen-staging").toFile().list())
          .anyMatch(tree -> tree.startsWith("frozen-desk-"));

      Command.run(Map.of(), "mount", "-o", "remount,size=64m", chunks).ok();
      assertThat(host.snapshots("desk")).hasSize(1);
      assertThat(host.regen("verify", "desk").code()).isZero();
      assertThat(host.desk("desk", "cat /root/a; wc -c </root/r").ok()).isEqualTo("1\n8388608");
      host.awaitIdle();
    } finally {
      host.stopAgent(false);
      Command.run(Map.of(), "umount", "-l", chunks).ok();
    }
  }
}
