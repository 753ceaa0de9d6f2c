package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that no client sends but one that wants to harm. */
final class RegistryHostileTest {
  private static final Duration IDLE = Duration.ofSeconds(2);

  private static final String BOTH = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";

  /** More than there is memory for segments of. */
  private static final int STALLED = 45;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient client;

  @BeforeAll
  static void start() throws Exception {
    Files.writeString(directory.resolve("secret"), "secret");
    manager = ServedRegistry.impatient("dir:" + directory.resolve("store"), IDLE);
    client = manager.client();
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }

  @Test
  void pathsThatLeadElsewhereFindNothingAndChangeNothing() throws Exception {
    String some = sha256(new byte[0]);
    List<String> before = files();
    for (String path :
        List.of(
            "/v2/../../secret",
            "/v2/..%2f..%2fsecret/tags/list",
            "/v2/%2e%2e/%2e%2e/secret/tags/list",
            "/v2/a/../../secret",
            "/v2/../tags/list",
            "/v2/a/..;/tags/list",
            "/v2/a%2fb/tags/list",
            "/v2/a%00/tags/list",
            "/v2/a\\b/tags/list",
            "/v2/a//b/tags/list",
            "/v2/./tags/list",
            "/v2/a/manifests/../../../secret",
            "/v2/a/manifests/..%2f..%2fsecret",
            "/v2/a/manifests/%2e%2e",
            "/v2/a/manifests/..",
            "/v2/a/manifests/a%2fb",
            "/v2/a/manifests/a%00",
            "/v2/a/blobs/..%2fsecret",
            "/v2/a/blobs/sha256:..%2f..%2fsecret",
            "/v2/a/blobs/" + some + "%2f..",
            "/v2/a/blobs/uploads/..",
            "/v2/a/blobs/uploads/..%2f..%2fsecret",
            "/v2/a/blobs/uploads/%2e%2e%2fsecret",
            "/v2/a/blobs/uploads/" + "0".repeat(31) + "%00",
            "/v2/a/blobs/uploads/" + "A".repeat(32),
            "/v2/a/blobs/uploads/" + "0".repeat(300),
            "/v2/a/referrers/..%2fsecret",
            "//v2/a/tags/list",
            "/%76%32/a/tags/list/../../../x",
            "/v2/" + "a/".repeat(8_000) + "tags/list")) {
      for (String method : List.of("GET", "PUT", "PATCH", "DELETE")) {
        assertThat(send(method, path, "Content-Length: 1\r\n", "x"))
            .as("%s %s", method, path)
            .matches("(?s)HTTP/1.1 (400|404|405) .*")
            .contains("{\"errors\":[{\"code\":\"")
            .doesNotContain("secret\"");
      }
    }
    assertThat(directory.resolve("secret")).hasContent("secret");
    assertThat(files()).isEqualTo(before);
  }

  @Test
  void whatIsNoHttpIsRefusedInTheFormOfTheSpec() throws Exception {
    for (String request :
        List.of(
            "GET /v2/ HTTP/1.1\r\nHost: h\r\nX: " + "x".repeat(50_000) + "\r\n\r\n",
            "GET /v2/" + "a".repeat(50_000) + " HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /v2/ HTTP/1.1\r\n\r\n",
            "GET /v2/ HTTP/9.9\r\nHost: h\r\n\r\n",
            "GET /v2/%zz HTTP/1.1\r\nHost: h\r\n\r\n",
            "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
            "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: h\r\n" + BOTH + "\r\n0\r\n\r\n")) {
      assertThat(client.raw(request))
          .as("%.60s", request)
          .matches("(?s)HTTP/1.1 (400|414|431|505) .*")
          .contains("{\"errors\":[{\"code\":\"");
    }
  }

  @Test
  void aLongManifestIsNotReadToItsEnd() throws Exception {
    byte[] long1 = ("{\"a\":\"" + "x".repeat(10_000_000) + "\"}").getBytes(StandardCharsets.UTF_8);

    client.put("/v2/a/manifests/v1", long1, "Content-Type", MANIFEST).is(413, "SIZE_INVALID");

    assertThat(send("PUT", "/v2/a/manifests/v1", "Content-Length: 99999999999\r\n", ""))
        .startsWith("HTTP/1.1 413 ");
  }

  @Test
  void longHeadersThatMeanSomethingAreRefused() throws Exception {
    String upload = client.begin("headers");
    String many = "9".repeat(1_000);
    client.patch(upload, bytes(1, 5), "Content-Range", "0-" + many).is(400, "UNSUPPORTED");
    client.put("/v2/a/manifests/v1", bytes(1, 5), "Content-Type", many).is(400, "UNSUPPORTED");
    client.with("Basic " + "x".repeat(20_000)).get("/v2/").is(200);
  }

  /** The server ends a connection on which nothing comes; what came is there, and can go on. */
  @Test
  void aBodyThatNeverComesIsNotWaitedForLong() throws Exception {
    String upload = client.begin("never");
    String other = client.begin("never");
    List<Socket> waiting = new ArrayList<>();
    for (String request :
        List.of(
            "PATCH " + upload + " HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n0123456789",
            "PATCH " + other + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            "PUT /v2/never/manifests/v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
            "GET /v2/ HTTP/1.1\r\nHost:")) {
      Socket socket = new Socket(manager.uri().getHost(), manager.uri().getPort());
      waiting.add(socket);
      socket.setSoTimeout((int) IDLE.multipliedBy(4).toMillis());
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    }

    for (Socket socket : waiting) {
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
          .matches("(?s)(HTTP/1.1 408 .*)?");
      socket.close();
    }

    assertThat(client.get(upload).is(204).header("Range")).isEqualTo("0-9");
    client.patch(upload, bytes(1, 5), "Content-Range", "10-14").is(202);
  }

  @Test
  void manyBodiesThatStallDoNotKeepOthersFromPushingAndPulling() throws Exception {
    String image = client.image("fine", "v1", "one");
    List<Socket> stalled = new ArrayList<>();
    try {
      for (int i = 0; i < STALLED; i++) {
        Socket socket = new Socket(manager.uri().getHost(), manager.uri().getPort());
        stalled.add(socket);
        String request =
            "PATCH "
                + client.begin("stalled")
                + " HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      }

      client.blob("fine", bytes(2, 100_000));
      client.get("/v2/fine/manifests/" + image).is(200);
    } finally {
      for (Socket socket : stalled) {
        socket.close();
      }
    }
  }

  private static List<String> files() throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(path -> path.toString().contains("/records/"))
          .map(Path::toString)
          .sorted()
          .toList();
    }
  }

  private static String send(String method, String path, String headers, String body)
      throws IOException {
    return client.raw(
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
            + headers
            + "\r\n"
            + body);
  }
}
