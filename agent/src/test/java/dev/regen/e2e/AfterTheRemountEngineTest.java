package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What the engine does with a container whose union was mounted again by someone else. */
@EngineTest
class AfterTheRemountEngineTest {
  private final Host host;

  AfterTheRemountEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void everyCommandOfTheEngineSeesTheTreeThatWasMovedIn() throws IOException, InterruptedException {
    host.desk("desk", "echo a >/root/a; rm /lower/deleted").ok();
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--network=none",
            "--name=desk",
            Host.IMAGE,
            "sh",
            "-c",
            "trap 'exit 0' TERM; echo run >>/root/runs; while :; do sleep 0.1; done")
        .ok();

    assertThat(host.docker("exec", "desk", "sh", "-c", "echo b >/root/b; cat /root/a").ok())
        .isEqualTo("a");
    assertThat(host.docker("diff", "desk").ok().lines())
        .contains("A /root/a", "A /root/b", "D /lower/deleted");
    assertThat(host.docker("ps", "-s", "--format", "{{.Size}}").ok()).contains("virtual");
    Path file = Files.writeString(host.shared().resolve("c"), "c\n");
    host.docker("cp", file.toString(), "desk:/root/c").ok();
    assertThat(host.docker("cp", "desk:/root/a", "-").out()).contains("a\n");
    host.docker("commit", "desk", "committed").ok();
    assertThat(committed("cat /root/a /root/b /root/c; ls /lower")).isEqualTo("a\nb\nc\nkept");
    host.docker("restart", "-t", "5", "desk").ok();
    Host.await(
        "the second run",
        () -> host.docker("exec", "desk", "cat", "/root/runs").out().equals("run\nrun\n"));
    assertThat(host.docker("exec", "desk", "cat", "/root/c").ok()).isEqualTo("c");
    host.docker("stop", "-t", "5", "desk").ok();
    host.docker("rm", "desk").ok();
    assertThat(host.desk("desk", "cat /root/a /root/b /root/c; ls /lower").ok())
        .isEqualTo("a\nb\nc\nkept");
  }

  private String committed(String script) throws IOException, InterruptedException {
    return host.docker("run", "--rm", "--network=none", "committed", "sh", "-c", script).ok();
  }
}
