package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of layer trees in staging: those that nobody recorded, and the newest one. */
final class AgentLayerTreesTest extends AgentWithoutEngine {
  @Test
  void agentThatIsStartedAgainAdoptsAFrozenTreeWithoutARecord()
      throws IOException, InterruptedException {
    agent.close();
    Path staging = Files.createDirectories(directory.resolve("store/regen-staging"));
    Files.createDirectories(directory.resolve("home/stores"));
    Files.writeString(directory.resolve("home/stores/one"), staging.toString());
    Path frozen = new Staging(staging).frozen(new QueueName("lost"), NINE, new ContainerId("abc"));
    Files.createDirectories(frozen);
    Files.writeString(frozen.resolve("work"), "of a day");
    Files.createDirectories(staging.resolve("building-x/y"));
    Files.createDirectories(staging.resolve("trash-x/y"));
    Files.createDirectories(staging.resolve("hot-" + "0".repeat(32)));

    agent = started();
    awaitIdle();

    assertThat(array(regen("ls", "lost", "--json")).getFirst().string("time"))
        .isEqualTo("2026-11-22T09:00:00.000Z");
    assertThat(regen("export", "lost@latest").out()).contains("of a day");
    assertThat(treesLeft(0)).isEmpty();
  }

  @Test
  void exchangedTreeBecomesTheHotTreeOfItsSnapshot() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();

    String id = array(regen("ls", "desk", "--json")).getLast().string("id");
    assertThat(directory.resolve("home/stores")).isNotEmptyDirectory();
    assertThat(treesLeft(1)).containsExactly("hot-" + id);
  }

  /** What is in staging once that many trees are left; trees go in the background. */
  private List<String> treesLeft(int count) throws IOException, InterruptedException {
    List<String> left = List.of();
    for (int wait = 0; wait < 500; wait++) {
      try (var trees = Files.list(directory.resolve("store/regen-staging"))) {
        left =
            trees
                .map(tree -> String.valueOf(tree.getFileName()))
                .filter(name -> !name.equals("unforced"))
                .toList();
      }
      if (left.size() <= count) {
        break;
      }
      Thread.sleep(10);
    }
    return left;
  }
}
