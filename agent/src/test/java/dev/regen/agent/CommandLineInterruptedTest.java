package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C while a command waits for a job of an agent, which is played here. */
final class CommandLineInterruptedTest {
  private static final String RUNNING =
      "{\"id\":\"j1\",\"kind\":\"pull\",\"subject\":\"desk@latest\",\"state\":\"running\",\"step\":\"\"}";

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ServerSocketChannel agent;

  /** What the job is once somebody has asked for its end. */
  private volatile String afterwards = RUNNING;

  private volatile String now = RUNNING;

  @BeforeEach
  void listen() throws IOException {
    agent = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    agent.bind(UnixDomainSocketAddress.of(directory.resolve("regen.sock")));
    Thread.ofPlatform().daemon().start(this::serve);
  }

  @AfterEach
  void close() throws IOException {
    agent.close();
  }

  @Test
  void pullThatWasDoneMeanwhileIsSaidToBeDone() throws IOException, InterruptedException {
    afterwards =
        RUNNING
            .replace("running", "success")
            .replace("}", ",\"result\":{\"message\":\"snapshot 2dff is the newest\"}}");

    Ended ended = interrupted("pull", "desk");

    assertThat(ended.code()).isZero();
    assertThat(ended.lines())
        .containsExactly(
            "pull desk@latest",
            "regen: done before it could be cancelled: snapshot 2dff is the newest");
  }

  @Test
  void cancelledPullSaysSoOnceAndFails() throws IOException, InterruptedException {
    afterwards =
        RUNNING.replace("running", "failed").replace("}", ",\"message\":\"cancelled, as it was\"}");

    Ended ended = interrupted("pull", "desk");

    assertThat(ended.code()).isEqualTo(130);
    assertThat(ended.lines()).containsExactly("pull desk@latest", "regen: cancelled, as it was");
  }

  @Test
  void captureThatIsNotWaitedForAnyLongerGoesOnAndThatIsSaid()
      throws IOException, InterruptedException {
    Ended ended = interrupted("capture", "desk", "--wait");

    assertThat(ended.code()).isEqualTo(130);
    assertThat(ended.lines())
        .containsExactly(
            "pull desk@latest", "regen: the capture goes on; 'regen jobs' tells how far it is");
    assertThat(now).as("nobody asked for its end").isEqualTo(RUNNING);
  }

  private record Ended(int code, List<String> lines) {}

  /** Runs regen, and presses Ctrl-C when it says that it waits. */
  private Ended interrupted(String... arguments) throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path said = directory.resolve("said");
    List<String> command =
        Stream.concat(
                Stream.of(
                    java.toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "dev.regen.agent.Main"),
                Stream.of(arguments))
            .toList();
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("REGEN_RUN", directory.toString());
    Process process = builder.redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (!Files.readString(said).contains("desk")) {
        assertThat(System.nanoTime()).as("it waits for the job").isLessThan(deadline);
        Thread.sleep(20);
      }
      new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Ended(process.exitValue(), Files.readAllLines(said));
  }

  private void serve() {
    try {
      while (true) {
        try (SocketChannel caller = agent.accept()) {
          answer(caller);
        }
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private void answer(SocketChannel caller) throws IOException {
    BufferedReader request =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(caller), StandardCharsets.UTF_8));
    String asked = String.valueOf(request.readLine());
    if (asked.startsWith("DELETE")) {
      now = afterwards;
    }
    ByteBuffer answer =
        StandardCharsets.UTF_8.encode(
            "HTTP/1.1 200 OK\r\nContent-Length: " + now.length() + "\r\n\r\n" + now);
    while (answer.hasRemaining()) {
      caller.write(answer);
    }
  }
}
