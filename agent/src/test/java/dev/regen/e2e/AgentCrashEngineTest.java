package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Kills the agent before its n-th change to the disk, while containers run, end and are archived;
 * then another agent goes on. With {@code -Dregen.crash.stride=1} at each change, else at one in
 * 23, beginning anywhere.
 */
@EngineTest(hostPerTest = true)
final class AgentCrashEngineTest {
  private static final int STRIDE = Integer.getInteger("regen.crash.stride", 37);
  private static final int CHANGES_MAX = 1000;

  private final Host host;

  AgentCrashEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void everyStateIsThereAndEverySnapshotWholeWhereverTheAgentDies()
      throws IOException, InterruptedException {
    StringBuilder written = new StringBuilder();
    boolean finished = false;
    for (int crashAt = CrashPoints.first(STRIDE); !finished; crashAt += STRIDE) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      host.stopAgent(false);
      host.startAgent("dev.regen.agent.CrashingAgent", "-Dregen.crashAt=" + crashAt);

      for (String run : new String[] {"a", "b"}) {
        String line = crashAt + run;
        String before = host.desk("desk", "cat /root/runs; echo " + line + " >>/root/runs").out();
        assertThat(before).as("at change %d", crashAt).isEqualTo(written.toString());
        written.append(line).append('\n');
      }
      finished = host.agentOutlivesItsWork();

      host.stopAgent(true);
      host.startAgent();
      host.awaitIdle();
      assertThat(host.regen("verify", "desk").ok()).as("at change %d", crashAt).isNotEmpty();
    }
    assertThat(host.desk("desk", "cat /root/runs").out()).isEqualTo(written.toString());
  }
}
