package dev.regen.runtime.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine that somebody stopped must stay so, whoever looks for it. */
final class SocketActivationTest {
  private static final URI SOCKET = URI.create("unix:///var/run/docker.sock");

  @TempDir private Path directory;
  private Path systemd;
  private Path processes;

  @BeforeEach
  void makeAHostWithSystemd() throws IOException {
    systemd = Files.createDirectory(directory.resolve("systemd"));
    processes = Files.createDirectory(directory.resolve("proc"));
    process(1, "systemd");
    process(20, "docker");
    Files.createDirectory(processes.resolve("30"));
    Files.createDirectory(processes.resolve("sys"));
  }

  @Test
  void stoppedEngineIsNotStartedByALook() {
    assertThat(new SocketActivation(processes, systemd).wouldStart(SOCKET)).isTrue();
  }

  @Test
  void engineThatRunsIsAsked() throws IOException {
    process(40, "dockerd");

    assertThat(new SocketActivation(processes, systemd).wouldStart(SOCKET)).isFalse();
  }

  @Test
  void nothingIsStartedWithoutSystemdOrOverTheNetwork() {
    Path none = directory.resolve("none");
    assertThat(new SocketActivation(processes, none).wouldStart(SOCKET)).isFalse();
    assertThat(new SocketActivation(processes, systemd).wouldStart(URI.create("tcp://h:2375")))
        .isFalse();
  }

  private void process(int pid, String name) throws IOException {
    Path directory = Files.createDirectory(processes.resolve(Integer.toString(pid)));
    Files.writeString(directory.resolve("comm"), name + "\n");
  }
}
