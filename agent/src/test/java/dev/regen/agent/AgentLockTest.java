package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an agent that was killed left behind, and one that takes its place. */
final class AgentLockTest {
  @TempDir private Path run;

  /** A front that wrote its call there would wait two minutes, and its container with it. */
  @Test
  void pipeOfAnAgentThatWasKilledIsGoneBeforeTheNextIsKnown() throws IOException {
    Files.writeString(run.resolve("hook"), "");

    try (AgentLock _ = AgentLock.take(run.resolve("agent.pid"))) {
      assertThat(run.resolve("hook")).doesNotExist();
      assertThat(run.resolve("agent.pid")).isNotEmptyFile();
    }
  }
}
