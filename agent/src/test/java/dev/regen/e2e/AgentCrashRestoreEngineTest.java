package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Kills the agent before its n-th change to the disk, while it restores a running container that
 * stays; then another agent goes on. With {@code -Dregen.crash.stride=1} at each change, else at
 * one in 61.
 */
@EngineTest(hostPerTest = true)
final class AgentCrashRestoreEngineTest {
  private static final int STRIDE = Integer.getInteger("regen.crash.stride", 101);
  private static final int CHANGES_MAX = 1000;
  private static final String FIRST =
      """
      for d in 1 2 3; do mkdir -p /data/$d/below; for f in $(seq 40); do echo $d $f >/data/$d/below/$f; done; done
      echo first >/data/state
      """;
  private static final String SECOND = "rm -rf /data/1; echo second >/data/state";
  private static final String SEE = "cat /data/state; find /data -type f | wc -l";

  private final Host host;

  AgentCrashRestoreEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void containerRunsAgainWithTheOneStateOrTheOtherWhereverTheAgentDies()
      throws IOException, InterruptedException {
    String first = captured();
    boolean finished = false;
    for (int crashAt = CrashPoints.first(STRIDE); !finished; crashAt += STRIDE) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      in(SECOND);
      host.stopAgent(false);
      host.startAgent("dev.regen.agent.CrashingAgent", "-Dregen.crashAt=" + crashAt);

      finished = host.regen("restore", "kept", "--at", first).code() == 0 && host.agentAlive();

      host.stopAgent(true);
      host.startAgent();
      Host.await("the container to run", this::runs);
      String state = in(SEE);
      assertThat(state).as("killed at change %d", crashAt).isIn("first\n121", "second\n81");
      assertThat(finished && state.startsWith("second")).as("restored").isFalse();
      host.awaitIdle();
      assertThat(host.regen("verify", "kept").code()).as("killed at change %d", crashAt).isZero();
    }
    host.docker("rm", "-f", "kept").ok();
  }

  /** Makes the container with its first state; returns the id of its snapshot. */
  private String captured() throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--network=none",
            "--name=kept",
            Host.IMAGE,
            "sh",
            "-c",
            "trap 'exit 0' TERM; while :; do sleep 0.05; done")
        .ok();
    in(FIRST);
    host.docker("stop", "kept").ok();
    host.awaitIdle();
    String id = host.snapshots("kept").getLast().string("id");
    host.regen("pin", "kept@" + id).ok();
    host.docker("start", "kept").ok();
    return id;
  }

  private boolean runs() throws IOException, InterruptedException {
    return host.docker("inspect", "-f", "{{.State.Running}}", "kept").out().startsWith("true");
  }

  private String in(String script) throws IOException, InterruptedException {
    return host.docker("exec", "kept", "sh", "-c", script).ok();
  }
}
