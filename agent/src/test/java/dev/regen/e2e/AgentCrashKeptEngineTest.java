package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Kills the agent before its n-th change to the disk, while it serves the starts and ends of a kept
 * container, whose layer it freezes by what it knows of its files, and archives them; then another
 * agent goes on. With {@code -Dregen.crash.kept.stride=1} at each change, else at one in 79.
 */
@EngineTest(hostPerTest = true)
final class AgentCrashKeptEngineTest {
  private static final int STRIDE = Integer.getInteger("regen.crash.kept.stride", 127);
  private static final int CHANGES_MAX = 1000;

  private final Host host;

  AgentCrashKeptEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void everyRunHasAllFilesAndEverySnapshotIsWholeWhereverTheAgentDies()
      throws IOException, InterruptedException {
    KeptContainer kept = new KeptContainer(host, "kept");
    host.awaitIdle();
    boolean finished = false;
    for (int crashAt = CrashPoints.first(STRIDE); !finished; crashAt += STRIDE) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      String when = "killed at change " + crashAt;
      host.stopAgent(false);
      host.startAgent("dev.regen.agent.CrashingAgent", "-Dregen.crashAt=" + crashAt);

      kept.run(when);
      kept.run(when);
      finished = host.agentOutlivesItsWork();

      host.stopAgent(true);
      host.startAgent();
      kept.assertSnapshotsAreWhole(when);
      kept.run(when);
      host.awaitIdle();
    }
    kept.assertSnapshotsAreWhole("at last");
    assertThat(host.home().resolve("listings")).as("freezes by facts left none").isEmptyDirectory();
  }
}
