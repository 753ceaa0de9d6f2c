package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Containers that Testcontainers makes, on the host's own engine and the Regen installed there, as
 * {@code scripts/test} sets them up: made through the API, removed by force at the end.
 */
@Tag("engine")
final class TestcontainersEngineTest {
  private static final String IMAGE = "regen-test";

  @Test
  void stateOfATestsContainerIsThereInTheNextOne() throws IOException, InterruptedException {
    String runtimes = Command.run(Map.of(), "docker", "info", "-f", "{{.Runtimes}}").out();
    assumeTrue(runtimes.contains("regen"), "needs Regen installed on this host: scripts/test");
    String name = "regen-testcontainers-" + ProcessHandle.current().pid();
    try (GenericContainer<?> first = container(name)) {
      first.start();
      assertThat(first.execInContainer("sh", "-c", "echo a >/root/a").getExitCode()).isZero();
    }

    try (GenericContainer<?> second = container(name)) {
      second.start();
      assertThat(second.execInContainer("cat", "/root/a").getStdout()).isEqualTo("a\n");
    }
    Host.await(
        "the queue to be free",
        () -> Command.run(Map.of(), "regen", "rm", "--queue", name).code() == 0);
  }

  @SuppressWarnings("resource") // the caller closes it
  private static GenericContainer<?> container(String name) {
    return new GenericContainer<>(DockerImageName.parse(IMAGE))
        .withImagePullPolicy(image -> false)
        .withCommand("sleep", "1000")
        .withNetworkMode("none")
        .withCreateContainerCmdModifier(create -> {
          create.withName(name);
          if (create.getHostConfig() != null) {
            create.getHostConfig().withRuntime("regen");
          }
        });
  }
}
