package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.TokenFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that no client of ours sends. */
final class StorageServerHostileTest {
  private static final String TOKEN = "0123456789abcdef";
  private static final String SOME = "0".repeat(64);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private StorageServer server;

  @BeforeEach
  void start() throws IOException {
    server =
        new StorageServer(
            new StorageOptions(
                new Listening(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null),
                directory.resolve("store"),
                Long.MAX_VALUE,
                TOKEN));
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void withoutTheTokenNothingIsServed() throws IOException {
    byte[] bytes = bytes(1, Chunk.STORED_BYTES_MAX);
    for (String wrong : new String[] {null, "", "0123456789abcdeX", TOKEN + "0"}) {
      try (HttpStore client = client(wrong)) {
        assertThatThrownBy(
                () -> client.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes)))
            .isInstanceOf(RegenException.Refused.class)
            .hasMessageContaining(wrong == null || wrong.isEmpty() ? "401" : "403");
        assertThatThrownBy(() -> client.missing(List.of(digest(bytes))))
            .isInstanceOf(RegenException.Refused.class);
        assertThatThrownBy(() -> client.records("")).isInstanceOf(RegenException.Refused.class);
      }
    }
    assertThat(raw("GET /v1/status HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 401 ")
        .contains("WWW-Authenticate: Bearer", "application/problem+json")
        .doesNotContain("chunks");
  }

  @Test
  void pathsThatLeadElsewhereFindNothingAndChangeNothing() throws IOException {
    Files.writeString(directory.resolve("secret"), "secret");
    for (String path :
        List.of(
            "/v1/chunks/sha256/../../../../secret",
            "/v1/chunks/sha256/..%2f..%2f..%2f..%2fsecret",
            "/v1/records/../../secret",
            "/v1/records/%2e%2e/%2e%2e/secret",
            "/v1/records/..;/..;/secret",
            "/v1/records/a%00",
            "/v1/records//etc/passwd",
            "/v1/records/.tmp-1",
            "/v1/records/" + "a".repeat(256),
            "/v1/chunks/sha256/" + "A".repeat(64),
            "/v1/chunks/sha256/" + SOME + "/",
            "//v1/status",
            "/v1/status/../../x")) {
      assertThat(send("GET", path, "", "")).as(path).matches("(?s)HTTP/1.1 (400|404) .*");
      assertThat(send("PUT", path, "Content-Length: 1\r\n", "x"))
          .as(path)
          .matches("(?s)HTTP/1.1 (400|404) .*");
      assertThat(send("DELETE", path, "", "")).as(path).matches("(?s)HTTP/1.1 (400|404) .*");
    }
    assertThat(directory.resolve("secret")).hasContent("secret");
    assertThat(directory.resolve("store/records")).isEmptyDirectory();
    assertThat(StorageProcess.chunkFiles(directory.resolve("store"))).isEmpty();
  }

  @Test
  void bodiesAndHeadersBeyondALimitAreRefused() throws IOException {
    String names = "Regen-Image: i\r\nRegen-Layer: l\r\nRegen-Index: 0\r\n";
    String chunk = "/v1/chunks/sha256/" + SOME;
    assertStatus(413, "PUT", chunk, names + "Content-Length: 99999999999\r\n", "");
    assertStatus(411, "PUT", chunk, names + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
    assertStatus(400, "PUT", chunk, names + "Content-Length: 1\r\n", "x");
    assertStatus(400, "PUT", chunk, names + "Content-Length: 0\r\n", "");
    assertStatus(400, "PUT", chunk, "Content-Length: 1\r\n", "x");
    for (String index : List.of("-1", "x", "99999999", "2000000")) {
      String wrong = "Regen-Image: i\r\nRegen-Layer: l\r\nRegen-Index: " + index + "\r\n";
      assertStatus(400, "PUT", chunk, wrong + "Content-Length: 1\r\n", "x");
    }
    assertStatus(413, "POST", "/v1/missing", "Content-Length: 320032\r\n", "x".repeat(320_032));
    assertStatus(400, "POST", "/v1/missing", "Content-Length: 33\r\n", "x".repeat(33));
    assertStatus(413, "PUT", "/v1/records/a", "Content-Length: 67108865\r\n", "");
    assertStatus(400, "PUT", "/v1/records/a", "If-Match: W/\"x\"\r\nContent-Length: 0\r\n", "");
    assertStatus(400, "GET", "/v1/chunks?after=zz", "", "");
    assertStatus(405, "PATCH", "/v1/records/a", "", "");
    assertStatus(431, "GET", "/v1/status", "X: " + "x".repeat(20_000) + "\r\n", "");
    try (Stream<Path> left = Files.list(directory.resolve("store/chunks/tmp"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aRangeOutsideOfTheChunkIsRefused() throws IOException {
    byte[] bytes = bytes(2, 100);
    try (HttpStore client = client(TOKEN)) {
      client.put(name(digest(bytes), 100), ByteBuffer.wrap(bytes));
    }
    String chunk = "/v1/chunks/sha256/" + digest(bytes).hex();
    for (String range : List.of("bytes=100-", "bytes=5-4", "bytes=-5", "bytes=0-1,3-4", "x")) {
      assertStatus(416, "GET", chunk, "Range: " + range + "\r\n", "");
    }
    assertStatus(206, "GET", chunk, "Range: bytes=99-999\r\n", "");
    assertThat(send("HEAD", chunk, "", "")).contains("Content-Length: 100\r\n");
    assertStatus(409, "DELETE", chunk, "", "");
  }

  @Test
  void aTokenThatEverybodyMayReadOrThatIsShortIsNoToken() throws IOException {
    Path file = Files.writeString(directory.resolve("token"), TOKEN + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> TokenFile.read(file)).hasMessageContaining("chmod 600");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertThat(TokenFile.read(file)).isEqualTo(TOKEN);
    Files.writeString(file, "short");
    assertThatThrownBy(() -> TokenFile.read(file)).hasMessageContaining("no token");
  }

  private HttpStore client(@Nullable String token) {
    return new HttpStore(
        server.uri(), new HttpStore.Options(token, null, Duration.ofSeconds(10), 2));
  }

  private void assertStatus(int status, String method, String path, String headers, String body)
      throws IOException {
    assertThat(send(method, path, headers, body))
        .as("%s %s %s", method, path, headers)
        .startsWith("HTTP/1.1 " + status + " ");
  }

  private String send(String method, String path, String headers, String body) throws IOException {
    return raw(
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer "
            + TOKEN
            + "\r\n"
            + headers
            + "\r\n"
            + body);
  }

  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.uri().getPort())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
