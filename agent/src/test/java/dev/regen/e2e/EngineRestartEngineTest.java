package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine is restarted while containers with a restart policy run. */
@EngineTest(hostPerTest = true)
final class EngineRestartEngineTest {
  private static final int CONTAINERS = 4;

  private final Host host;

  EngineRestartEngineTest(Host host) {
    this.host = host;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void containersComeBackWithTheirStateAndTheEngineIsNotHeldUp(boolean agentUp)
      throws IOException, InterruptedException {
    Duration plain = restartWith("runc");
    for (int i = 0; i < CONTAINERS; i++) {
      host.docker("rm", "-f", "always" + i).ok();
    }
    if (!agentUp) {
      host.stopAgent(false);
    }

    Duration regen = restartWith("regen");
    // Something else may take the machine's time for a moment.
    for (int again = 0; again < 2 && regen.compareTo(plain.plusSeconds(2)) >= 0; again++) {
      regen = restarted();
    }

    assertThat(regen).isLessThan(plain.plusSeconds(2));
    for (int i = 0; i < CONTAINERS; i++) {
      String name = "always" + i;
      Host.await(
          name + " to run again",
          () -> host.docker("exec", name, "cat", "/root/runs").out().startsWith("run\nrun\n"));
    }
  }

  /** Starts the containers, restarts the engine; how long its API was away. */
  private Duration restartWith(String runtime) throws IOException, InterruptedException {
    for (int i = 0; i < CONTAINERS; i++) {
      String name = "always" + i;
      host.docker(
              "run",
              "-d",
              "--runtime",
              runtime,
              "--network=none",
              "--restart=always",
              "--name",
              name,
              Host.IMAGE,
              "sh",
              "-c",
              "trap 'exit 0' TERM; echo run >>/root/runs; while :; do sleep 0.1; done")
          .ok();
      Host.await(
          name + " to run",
          () -> host.docker("exec", name, "test", "-s", "/root/runs").code() == 0);
    }
    return restarted();
  }

  private Duration restarted() throws IOException, InterruptedException {
    host.stopEngine();
    long begun = System.nanoTime();
    host.startEngine();
    return Duration.ofNanos(System.nanoTime() - begun);
  }
}
