package dev.regen.runtime.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A socket that systemd holds takes connections long before the engine is up. */
@Timeout(60)
final class EngineSilentAtBootTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  @TempDir private Path directory;
  private ServerSocketChannel socket;
  private Engine engine;

  @BeforeEach
  void listen() throws IOException {
    Path path = directory.resolve("docker.sock");
    socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    socket.bind(UnixDomainSocketAddress.of(path));
    engine = new Engine(URI.create("unix://" + path));
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    engine.close();
  }

  @Test
  void engineThatDoesNotAnswerTheFirstTryCountsAsAway() throws InterruptedException {
    try (EngineEvents events =
        new EngineEvents(engine, InstantSource.system(), Instant.EPOCH, _ -> {})) {
      events.start();
      long deadline = System.nanoTime() + LIMIT.toNanos();
      while (events.connected()) {
        assertThat(System.nanoTime()).isLessThan(deadline);
        Thread.sleep(20);
      }
    }
  }

  @Test
  void briefQuestionIsGivenUp() {
    long begin = System.nanoTime();

    assertThatThrownBy(() -> engine.containerBriefly("desk"))
        .isInstanceOf(EngineException.Away.class);

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(LIMIT);
  }
}
