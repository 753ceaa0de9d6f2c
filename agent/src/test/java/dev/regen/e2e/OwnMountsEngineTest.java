package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The engine's data root is mounted for the engine alone; the agent does not see it. */
@EngineTest(value = Place.OwnMounts.class, hostPerTest = true)
final class OwnMountsEngineTest {
  private final Host host;

  OwnMountsEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void threeRunsRememberAndEachIsASnapshot() throws IOException, InterruptedException {
    for (int run = 1; run <= 3; run++) {
      assertThat(host.desk("desk", "echo x >>/root/runs; rm -f /lower/deleted; wc -l </root/runs"))
          .extracting(Command.Result::ok)
          .isEqualTo("" + run);
    }

    assertThat(host.dataRoot()).as("the agent's view").isEmptyDirectory();
    assertThat(host.snapshots("desk")).hasSize(3);
    assertThat(host.regen("verify", "desk").code()).isZero();
    assertThat(host.desk("desk", "ls /lower; wc -l </root/runs").ok()).isEqualTo("kept\n3");
    assertThat(Files.exists(host.run().resolve("hook.log"))).as("one-shot hooks").isFalse();
  }

  @Test
  void runsGoBackAndWhatWouldWorkOnALayerInPlaceIsRefusedAndSaysWhy()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >/root/runs").ok();
    host.desk("desk", "echo 2 >/root/runs").ok();
    host.awaitIdle();
    String[] kept = {"run", "-d", "--runtime=regen", "--network=none", "--name=kept", Host.IMAGE};
    host.docker(Stream.concat(Stream.of(kept), Stream.of("sleep", "1000")).toArray(String[]::new))
        .ok();

    var captured = host.regen("capture", "kept", "--wait");
    host.docker("kill", "kept").ok();
    host.awaitIdle();
    var restored = host.regen("restore", "kept");
    host.regen("restore", "desk", "--at=-1").ok();

    assertThat(captured.code()).isEqualTo(4);
    assertThat(captured.err()).contains("is mounted for its engine alone").hasLineCount(1);
    assertThat(restored.code()).isEqualTo(4);
    assertThat(restored.err()).contains("is mounted for its engine alone").hasLineCount(1);
    assertThat(host.dataRoot()).as("the agent's view").isEmptyDirectory();
    assertThat(host.desk("desk", "cat /root/runs").ok()).isEqualTo("1");
  }

  @Test
  void agentDiesAndIsDownAndStillNoRunIsLost() throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/runs").ok();
    String kept =
        host.docker(
                "run",
                "-d",
                "--runtime=regen",
                "--network=none",
                "--name=kept",
                Host.IMAGE,
                "sh",
                "-c",
                "echo k >>/root/k; sleep 1000")
            .ok();
    host.stopAgent(true);
    host.desk("other", "echo o >/root/o").ok();

    host.startAgent();
    Thread.sleep(6000); // The agent looks again at runs that may have ended, every five seconds.

    assertThat(host.snapshots("other")).hasSize(1);
    host.docker("kill", "kept").ok();
    assertThat(host.snapshots("kept")).as(kept).hasSize(1);
    assertThat(host.desk("desk", "cat /root/runs").ok()).isEqualTo("1");
    assertThat(host.desk("other", "cat /root/o").ok()).isEqualTo("o");
  }

  @Test
  void engineThatIsAwayLeavesTheLayerToBeArchivedWhenItIsBack()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >/root/runs").ok();
    host.awaitIdle();
    host.stopAgent(true);
    host.desk("desk", "echo 2 >/root/runs").ok();
    host.stopEngine();

    host.startAgent();
    Host.await("the failure", () -> host.regen("events").out().contains("its file system mounted"));
    host.startEngine();

    assertThat(host.snapshots("desk")).hasSize(2);
    assertThat(host.desk("desk", "cat /root/runs").ok()).isEqualTo("2");
  }
}
