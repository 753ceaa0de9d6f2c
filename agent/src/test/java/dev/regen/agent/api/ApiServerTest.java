package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.agent.http.ActivityResource;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.JobLimits;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTP over a real Unix socket: what holds for every resource. */
final class ApiServerTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ApiServer server;

  @SuppressWarnings("NullAway.Init")
  private Jobs jobs;

  @BeforeEach
  void start() throws IOException {
    Routes routes = new Routes(ApiDocument.of(ApiServerTest.class));
    InstantSource clock = InstantSource.system();
    jobs = Jobs.open(new LocalDisk(), directory, JobLimits.DEFAULT, clock, _ -> {});
    new ActivityResource(new Events(new LocalDisk(), directory, clock), jobs).addTo(routes);
    routes
        .add(
            "refuse",
            _ -> {
              throw new RegenException.Refused("not in this state");
            })
        .add(
            "breakDown",
            _ -> {
              throw new IllegalStateException("a mistake of ours");
            })
        .add("echo", call -> Answer.ok(call.json()))
        .add(
            "answerHalf",
            _ ->
                new Answer.Stream(
                    "text/plain",
                    out -> {
                      out.write(
                          "the first half\n".repeat(100_000).getBytes(StandardCharsets.UTF_8));
                      throw new RegenException.Damaged("a chunk is damaged");
                    }))
        .add("getQueue", call -> Answer.ok(new JsonObject().with("queue", call.queue().value())));
    routes.requireComplete();
    server = new ApiServer(directory.resolve("sock"), routes, null);
    server.start();
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void socketIsForOwnerAndGroupAlone() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
        .isEqualTo("rw-rw----");
  }

  @Test
  void socketIsOfTheGroupThatIsNamed() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "gives a file to another group");
    Routes routes = new Routes(ApiDocument.of(ApiServerTest.class));
    Path other = directory.resolve("other");
    try (ApiServer grouped = new ApiServer(other, routes, "daemon")) {
      grouped.start();

      assertThat(Files.getAttribute(other, "posix:group")).hasToString("daemon");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(other)))
          .isEqualTo("rw-rw----");
    }
    try (ApiServer nobodys = new ApiServer(other, routes, "no-such-group")) {
      assertThatThrownBy(nobodys::start).hasMessageContaining("no group 'no-such-group'");
    }
  }

  @Test
  void answersAreJson() throws IOException {
    assertThat(get("/v1/jobs")).startsWith("HTTP/1.1 200").endsWith("{\"jobs\":[],\"next\":null}");
  }

  /** A command that only asked now and then would end later than its job. */
  @Test
  void whoWaitsForAJobIsAnsweredWhenItEnds() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    String path =
        "/v1/jobs/"
            + jobs.start(
                    "test",
                    "desk",
                    _ -> {
                      awaitQuietly(end);
                      return new JsonObject();
                    })
                .id();
    assertThat(get(path)).contains("\"running\"");
    assertThat(get(path + "?waitMillis=10")).contains("\"running\"");
    assertThat(get(path + "?waitMillis=-1")).startsWith("HTTP/1.1 400");

    CompletableFuture<String> answer = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            answer.complete(get(path + "?waitMillis=1000"));
          } catch (IOException e) {
            answer.completeExceptionally(e);
          }
        });
    Thread.sleep(100);
    assertThat(answer).isNotDone();
    end.countDown();
    assertThat(answer.get(10, TimeUnit.SECONDS)).contains("\"success\"");
  }

  @Test
  void failuresAreProblemDetails() throws IOException {
    assertThat(get("/refused"))
        .startsWith("HTTP/1.1 409")
        .contains("application/problem+json")
        .endsWith(
            "{\"type\":\"urn:regen:problem:refused\",\"title\":\"refused\",\"status\":409,"
                + "\"detail\":\"not in this state\",\"code\":\"refused\"}");
    assertThat(get("/v1/jobs/none")).startsWith("HTTP/1.1 404").contains("\"not_found\"");
    assertThat(get("/nothing/here")).startsWith("HTTP/1.1 404").contains("\"not_found\"");
    assertThat(send("PUT", "/refused", "")).startsWith("HTTP/1.1 405").contains("GET alone");
    assertThat(get("/broken")).startsWith("HTTP/1.1 500").contains("\"failed\"");
  }

  @Test
  void whatTheDocumentDoesNotHaveIsRefusedAndNamed() throws IOException {
    assertThat(get("/v1/jobs?limits=1")).startsWith("HTTP/1.1 400").contains("'limits'", "limit");
    assertThat(send("PUT", "/json", "{\"b\":1}")).startsWith("HTTP/1.1 400").contains("'b'");
    assertThat(send("PUT", "/json", "{\"a\":\"1\"}"))
        .startsWith("HTTP/1.1 400")
        .contains("'a' is no integer");
    assertThat(get("/v1/openapi.json")).startsWith("HTTP/1.1 200").contains("\"breakDown\"");
  }

  @Test
  void namesFromAPathAreChecked() throws IOException {
    assertThat(get("/queue/desk")).endsWith("{\"queue\":\"desk\"}");
    for (String name : new String[] {"%2e%2e", "..%2fetc", "a%20b", "%00", "-x", "a".repeat(200)}) {
      assertThat(get("/queue/" + name)).as(name).startsWith("HTTP/1.1 4");
    }
  }

  @Test
  void bodiesAndHeadersHaveLimits() throws IOException {
    String body = "{\"a\":\"" + "x".repeat(Call.BODY_BYTES_MAX) + "\"}";

    assertThat(send("PUT", "/json", body)).startsWith("HTTP/1.1 413").contains("at most");
    assertThat(send("PUT", "/json", "{\"a\":")).startsWith("HTTP/1.1 400").contains("bad_input");
    assertThat(send("PUT", "/json", "{\"a\":1}")).startsWith("HTTP/1.1 200").endsWith("{\"a\":1}");
    assertThat(get("/" + "y".repeat(20_000))).startsWith("HTTP/1.1 4");
  }

  @Test
  void answerThatBreaksOffIsNotTakenForWhole() throws IOException {
    String answer = get("/half");

    assertThat(answer).startsWith("HTTP/1.1 200").contains("the first half");
    assertThat(answer).doesNotEndWith("0\r\n\r\n");
  }

  private Path socket() {
    return directory.resolve("sock");
  }

  private String get(String path) throws IOException {
    return exchange("GET " + path + " HTTP/1.1\r\nHost: r\r\n\r\n");
  }

  private String send(String method, String path, String body) throws IOException {
    return exchange(
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: r\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body);
  }

  /** Reads until the server closes or is silent with a whole answer. */
  private String exchange(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket()));
      ByteBuffer out = ByteBuffer.wrap(request.getBytes(StandardCharsets.ISO_8859_1));
      while (out.hasRemaining()) {
        channel.write(out);
      }
      InputStream in = Channels.newInputStream(channel);
      StringBuilder answer = new StringBuilder();
      byte[] buffer = new byte[64 << 10];
      while (!isWhole(answer)) {
        int count = read(in, buffer);
        if (count < 0) {
          break;
        }
        answer.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
      }
      return answer.toString();
    }
  }

  private static int read(InputStream in, byte[] buffer) {
    try {
      return in.read(buffer);
    } catch (IOException e) {
      return -1; // Broken off, as some of these tests want it.
    }
  }

  private static boolean isWhole(StringBuilder answer) {
    int head = answer.indexOf("\r\n\r\n");
    var length = java.util.regex.Pattern.compile("(?i)content-length: *([0-9]+)").matcher(answer);
    return head >= 0
        && length.find()
        && length.start() < head
        && answer.length() >= head + 4 + Integer.parseInt(length.group(1));
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
