package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The end of a {@code --rm} container with the agent down, whose hook processes are all killed as
 * by {@code kill -9}, or are not there; the engine removes the layer right afterwards.
 */
@EngineTest(hostPerTest = true)
final class EndWithoutAgentEngineTest {
  private final Host host;

  EndWithoutAgentEngineTest(Host host) {
    this.host = host;
  }

  /** What becomes of the processes of an end, as shell that the front runs first. */
  private enum Death {
    NO_JAVA("REGEN_JAVA=/no/such/java"),
    JAVA_AT_ONCE("REGEN_JAVA=/bin/false"),
    FRONT_AFTER_THE_RENAME("mv() { command mv \"$@\"; kill -9 $$; }"),
    FRONT_BEFORE_JAVA("timeout() { kill -9 $$; }"),
    FRONT_BEHIND_JAVA("timeout() { command timeout \"$@\" >/dev/null; kill -9 $$; }"),
    FRONT_BEFORE_THE_RENAME("mv() { kill -9 $$; }");

    private final String shell;

    Death(String shell) {
      this.shell = "case \" $* \" in *' delete '*) " + shell + " ;; esac";
    }
  }

  @Test
  void noRunIsLostOnceTheFrontHasRenamedItsUpper() throws IOException, InterruptedException {
    String written = "0\n";
    host.desk("desk", "echo 0 >>/root/runs; rm /lower/deleted").ok();
    host.awaitIdle();
    host.stopAgent(true);
    for (Death death : Death.values()) {
      if (death != Death.FRONT_BEFORE_THE_RENAME) {
        host.inFront(death.shell);
        var run = host.desk("desk", "cat /root/runs; ls /lower; echo " + death + " >>/root/runs");
        assertThat(run.out()).as("before %s", death).isEqualTo(written + "kept\n");
        written += death + "\n";
      }
    }
    host.inFront("");
    host.startAgent();

    assertThat(host.desk("desk", "cat /root/runs; ls /lower").out()).isEqualTo(written + "kept\n");
    assertThat(host.snapshots("desk")).hasSize(2);
    assertThat(host.regen("verify", "desk").code()).isZero();
    Host.await(
        "nothing to be staged but the next start's tree",
        () ->
            List.of(host.dataRoot().resolve("regen-staging").toFile().list()).stream()
                    .filter(name -> !name.equals("unforced"))
                    .count()
                == 1);
  }

  @Test
  @Tag("long")
  void agentThatHangsDoesNotLoseTheRunThatTheEngineNoLongerWaitsFor()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/runs").ok();
    host.awaitIdle();
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--rm",
            "--network=none",
            "--name=desk",
            Host.IMAGE,
            "sh",
            "-c",
            "echo 2 >>/root/runs; sleep 3")
        .ok();
    String agent = Files.readAllLines(host.run().resolve("agent.pid")).getFirst();
    Command.run(Map.of(), "kill", "-STOP", agent).ok();
    Host.await("the container to go", () -> host.docker("ps", "-aq").out().isEmpty());
    Command.run(Map.of(), "kill", "-CONT", agent).ok();

    assertThat(host.desk("desk", "cat /root/runs").ok()).isEqualTo("1\n2");
  }

  @Test
  void frontThatIsKilledBeforeItsRenameLosesThatRunAndItIsSaid()
      throws IOException, InterruptedException {
    host.desk("desk", "echo 1 >>/root/runs").ok();
    host.awaitIdle();
    host.stopAgent(true);
    host.inFront(Death.FRONT_BEFORE_THE_RENAME.shell);
    host.desk("desk", "echo 2 >>/root/runs");
    host.inFront("");
    host.startAgent();

    assertThat(host.desk("desk", "cat /root/runs").ok()).isEqualTo("1");
    assertThat(host.regen("events").ok()).contains("was removed without an end");
    assertThat(host.regen("verify", "desk").code()).isZero();
  }
}
