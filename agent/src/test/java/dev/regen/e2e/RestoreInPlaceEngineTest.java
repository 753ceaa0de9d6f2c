package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Restores that keep the container: under plain runc, without its present state, broken off. */
@EngineTest
final class RestoreInPlaceEngineTest {
  private final Host host;

  RestoreInPlaceEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void runningContainerUnderPlainRuncIsRestoredWithItsIdAndItsPresentStateIsKept()
      throws IOException, InterruptedException {
    String id = plain("p1");
    host.docker("stop", "-t", "5", "p1").ok();
    Host.await("the snapshot", () -> host.regen("ls", "q-p1").code() == 0);
    assertThat(host.snapshots("q-p1")).hasSize(1);
    host.docker("start", "p1").ok();
    host.docker("exec", "p1", "sh", "-c", "echo 2 >/root/n; rm -r /lower").ok();

    String said = host.regen("restore", "p1").ok();

    assertThat(said).contains("container p1 is back at").contains("and runs");
    assertThat(host.docker("inspect", "-f", "{{.Id}}", "p1").ok()).isEqualTo(id);
    assertThat(host.docker("exec", "p1", "sh", "-c", "cat /root/n; ls /lower").ok())
        .isEqualTo("1\ndeleted\nkept");
    List<JsonObject> snapshots = host.snapshots("q-p1");
    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.getLast().string("reason")).isEqualTo("stopped");

    assertThat(host.regen("restore", "q-p1", "--at", "latest", "--no-start").ok())
        .contains("and stopped");
    host.docker("start", "p1").ok();
    assertThat(host.docker("exec", "p1", "cat", "/root/n").ok()).isEqualTo("2");
    host.docker("rm", "-f", "p1").ok();
  }

  @Test
  void goneContainerUnderPlainRuncIsCreatedAgainWithItsState()
      throws IOException, InterruptedException {
    plain("p2");
    host.docker("stop", "-t", "5", "p2").ok();
    Host.await("the snapshot", () -> host.regen("ls", "q-p2").code() == 0);
    assertThat(host.snapshots("q-p2")).hasSize(1);
    host.docker("rm", "p2").ok();

    String said = host.regen("restore", "q-p2").ok();

    assertThat(said).contains("p2 was created again and runs");
    assertThat(host.docker("exec", "p2", "cat", "/root/n").ok()).isEqualTo("1");
    assertThat(host.snapshots("q-p2")).noneMatch(RestoreInPlaceEngineTest::isChosen);
    host.docker("rm", "-f", "p2").ok();
  }

  @Test
  void discardedStateOfARunningContainerIsNoSnapshot() throws IOException, InterruptedException {
    String id = kept("drop");
    host.docker("stop", "-t", "5", "drop").ok();
    assertThat(host.snapshots("drop")).hasSize(1);
    host.docker("start", "drop").ok();
    host.docker("exec", "drop", "sh", "-c", "echo 2 >/root/n").ok();

    host.regen("restore", "drop", "--discard").ok();

    assertThat(host.docker("inspect", "-f", "{{.Id}}", "drop").ok()).isEqualTo(id);
    assertThat(host.docker("exec", "drop", "cat", "/root/n").ok()).isEqualTo("1");
    assertThat(host.snapshots("drop")).hasSize(1);
    host.docker("rm", "-f", "drop").ok();
  }

  @Test
  void interruptedRestoreLeavesTheContainerAsItWas() throws IOException, InterruptedException {
    String id = kept("broken");
    host.docker(
            "exec",
            "broken",
            "sh",
            "-c",
            "mkdir /root/m; cd /root/m; for i in $(seq 120000); do :>$i; done")
        .ok();
    host.docker("stop", "-t", "5", "broken").ok();
    assertThat(host.snapshots("broken")).hasSize(1);
    host.docker("start", "broken").ok();
    host.docker("exec", "broken", "sh", "-c", "rm -r /root/m; echo 2 >/root/n").ok();

    int code = interruptedAt("stopping", "restore", "broken");

    assertThat(code).isEqualTo(130);
    Host.await(
        "the container",
        () -> host.docker("exec", "broken", "cat", "/root/n").out().startsWith("2"));
    assertThat(host.docker("inspect", "-f", "{{.Id}}", "broken").ok()).isEqualTo(id);
    assertThat(host.snapshots("broken")).hasSize(2).noneMatch(RestoreInPlaceEngineTest::isChosen);
    assertThat(host.dataRoot().resolve("regen-staging").toFile().list())
        .noneMatch(tree -> tree.startsWith("building-"));
    assertThat(host.regen("jobs").ok()).contains("cancelled; it runs with the state it had");
    host.docker("rm", "-f", "broken").ok();
  }

  /** Runs regen, and presses Ctrl-C when it says what. */
  private int interruptedAt(String what, String... arguments)
      throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> words =
        new ArrayList<>(
            List.of(
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.regen.agent.Main"));
    words.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().putAll(host.environment());
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    try (BufferedReader lines = process.errorReader()) {
      String line = lines.readLine();
      while (line != null && !line.contains(what)) {
        line = lines.readLine();
      }
      assertThat(line).as("it came to that").isNotNull();
      // The agent stands still until the interruption is on its way, however fast it unpacks.
      String agent = Files.readAllLines(host.run().resolve("agent.pid")).getFirst();
      Command.run(Map.of(), "kill", "-STOP", agent).ok();
      Command.run(Map.of(), "kill", "-INT", String.valueOf(process.pid())).ok();
      Thread.sleep(500);
      Command.run(Map.of(), "kill", "-CONT", agent).ok();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    return process.exitValue();
  }

  private String kept(String name) throws IOException, InterruptedException {
    return run(name, "--runtime=regen");
  }

  private String plain(String name) throws IOException, InterruptedException {
    return run(name, "--label=regen.queue=q-" + name);
  }

  private String run(String name, String option) throws IOException, InterruptedException {
    String script = "test -e /root/n || echo 1 >/root/n; sleep 1000";
    host.docker(
            "run",
            "-d",
            "--init",
            option,
            "--network=none",
            "--name",
            name,
            Host.IMAGE,
            "sh",
            "-c",
            script)
        .ok();
    Host.await("the file", () -> host.docker("exec", name, "cat", "/root/n").code() == 0);
    return host.docker("inspect", "-f", "{{.Id}}", name).ok();
  }

  private static boolean isChosen(JsonObject snapshot) {
    return Boolean.TRUE.equals(snapshot.members().get("chosen"));
  }
}
