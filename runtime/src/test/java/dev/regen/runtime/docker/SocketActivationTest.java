package dev.regen.runtime.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
  void engineThatIsBeingStoppedIsLeftToEnd() throws IOException, InterruptedException {
    process(40, "dockerd");
    Thread end =
        Thread.ofPlatform()
            .start(() -> assertThat(processes.resolve("40/comm").toFile().delete()).isTrue());

    new SocketActivation(processes, systemd).awaitEngineEnd(Duration.ofMinutes(1));

    end.join();
    assertThat(new SocketActivation(processes, systemd).wouldStart(SOCKET)).isTrue();
    process(41, "dockerd");
    long begin = System.nanoTime();
    new SocketActivation(processes, systemd).awaitEngineEnd(Duration.ofMillis(300));
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(250));
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
