package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.TimedOut;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that hang, break off and lie. */
final class HttpStoreTroubleTest {
  private static final byte[] CHUNK = bytes(1, 1000);
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** What is sent to whoever has sent a request's head. */
  @FunctionalInterface
  private interface Script {
    void run(OutputStream out) throws Exception;
  }

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @SuppressWarnings("NullAway.Init")
  private ServerSocket listening;

  @SuppressWarnings("NullAway.Init")
  private HttpStore client;

  @BeforeEach
  void listen() throws IOException {
    listening = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    client =
        new HttpStore(
            URI.create("http://localhost:" + listening.getLocalPort()),
            new HttpStore.Options(null, null, PATIENCE, 2));
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    listening.close();
    threads.shutdownNow();
  }

  @Test
  void oneThatHangsAfterTheHeadersIsGivenUpInTime() {
    answer(out -> {
      head(out, 1000);
      Thread.sleep(60_000);
    });
    long begin = System.nanoTime();
    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has not answered within");
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(PATIENCE.multipliedBy(5));
  }

  @Test
  void oneThatBreaksOffInTheMiddleFails() {
    answer(out -> {
      head(out, 1000);
      out.write(CHUNK, 0, 500);
    });
    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000)).isInstanceOf(IOException.class);
  }

  @Test
  void wrongBytesAreDamage() {
    byte[] wrong = CHUNK.clone();
    wrong[999] ^= 1;
    answer(out -> {
      head(out, 1000);
      out.write(wrong);
    });
    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000))
        .isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void memoryOfWhoHasGivenUpIsNotWrittenTo() throws Exception {
    byte[] memory = new byte[1000];
    CountDownLatch givenUp = new CountDownLatch(1);
    CountDownLatch sent = new CountDownLatch(1);
    answer(out -> {
      head(out, 1000);
      out.write(CHUNK, 0, 500);
      out.flush();
      try {
        givenUp.await();
        out.write(CHUNK, 500, 500);
      } finally {
        sent.countDown();
      }
    });

    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000, memory)).isInstanceOf(TimedOut.class);
    Arrays.fill(memory, (byte) 7);
    givenUp.countDown();
    assertThat(sent.await(10, TimeUnit.SECONDS)).isTrue();
    Thread.sleep(200);

    assertThat(memory).containsOnly(7);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 999, 1001})
  void anotherLengthIsDamageInMemoryOfTheReaderToo(int length) {
    byte[] memory = new byte[2000];
    answer(out -> {
      head(out, length);
      out.write(Arrays.copyOf(CHUNK, length));
    });

    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000, memory))
        .isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void anAnswerWithoutEndIsCutOff() {
    answer(out -> {
      out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      while (true) {
        out.write(new byte[1 << 16]);
      }
    });
    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000)).isInstanceOf(IOException.class);
  }

  @Test
  void oneThatMissesWhatNobodyAskedAboutIsNotBelieved() {
    answer(out -> {
      head(out, 32);
      out.write(new byte[32]);
    });
    assertThatThrownBy(() -> client.missing(List.of(digest(CHUNK))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nonsense");
  }

  @Test
  void aListThatGoesRoundInCirclesEnds() {
    answer(out -> {
      head(out, 64);
      out.write(new byte[64]);
    });
    assertThatThrownBy(() -> client.list(_ -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("order");
  }

  @Test
  void aRedirectIsNotFollowed() {
    answer(out ->
        out.write(
            "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII)));
    assertThatThrownBy(() -> client.get(digest(CHUNK), 1000)).hasMessageContaining("302");
  }

  private void answer(Script script) {
    threads.execute(() -> {
      while (!listening.isClosed()) {
        try (Socket socket = listening.accept()) {
          int read = socket.getInputStream().read(new byte[1 << 16]);
          if (read > 0) {
            script.run(socket.getOutputStream());
          }
        } catch (Exception e) {
          // The client went away, or the test is over.
        }
      }
    });
  }

  private static void head(OutputStream out, int length) throws IOException {
    String head = "HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }
}
