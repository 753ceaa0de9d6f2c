package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkBatch;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DigestList;
import dev.regen.snapshot.remote.HttpStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many chunks in one request, good ones and bad ones. */
final class StorageServerBatchTest {
  private static final String TOKEN = "0123456789abcdef";
  private static final int QUOTA_BYTES = 1_000_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private StorageServer server;

  private final HttpClient client = HttpClient.newHttpClient();

  @BeforeEach
  void start() throws IOException {
    server =
        new StorageServer(
            new StorageOptions(
                new Listening(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null),
                directory.resolve("store"),
                QUOTA_BYTES,
                TOKEN),
            Duration.ofMillis(1));
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    server.close();
  }

  @Test
  void whatOneRequestStoredAnotherGetsAndAThirdDeletes() throws Exception {
    List<byte[]> all = List.of(bytes(1, 1), bytes(2, 75_000), bytes(3, 300_000), bytes(2, 75_000));
    assertThat(failed(put(all, all))).isEmpty();

    Digest none = digest(bytes(4, 4));
    List<Digest> asked = new ArrayList<>(all.stream().map(bytes -> digest(bytes)).toList());
    asked.add(1, none);
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    for (Digest digest : asked) {
      byte[] bytes =
          all.stream().filter(b -> digest(b).equals(digest)).findFirst().orElse(new byte[0]);
      expected.write(ByteBuffer.allocate(4).putInt(bytes.length).array());
      expected.write(bytes);
    }
    HttpResponse<byte[]> got = post("/v1/chunks/get", DigestList.encode(asked), TOKEN);
    assertThat(got.statusCode()).isEqualTo(200);
    assertThat(got.body()).isEqualTo(expected.toByteArray());
    assertThat(post("/v1/chunks/get", new byte[0], TOKEN).body()).isEmpty();

    Thread.sleep(20);
    try (HttpStore store =
        new HttpStore(
            server.uri(), new HttpStore.Options(TOKEN, null, Duration.ofSeconds(10), 2))) {
      assertThat(store.delete(asked)).isEmpty();
      assertThat(store.missing(asked)).hasSize(4);
    }
  }

  @Test
  void wrongBytesAndAFullStoreSpoilNoOtherChunk() throws Exception {
    List<byte[]> names = List.of(bytes(1, 1000), bytes(2, 1000), bytes(3, 1000));
    List<byte[]> sent = List.of(bytes(1, 1000), bytes(9, 1000), bytes(3, 1000));
    assertThat(failed(put(names, sent))).containsExactly("1: 400");

    List<byte[]> many = List.of(bytes(4, 600_000), bytes(5, 600_000), bytes(6, 1000));
    assertThat(failed(put(many, many))).containsExactly("1: 507");

    HttpResponse<byte[]> got =
        post(
            "/v1/chunks/get",
            DigestList.encode(
                List.of(digest(names.get(0)), digest(names.get(1)), digest(many.get(2)))),
            TOKEN);
    assertThat(got.body()).hasSize(3 * 4 + 1000 + 1000);
  }

  @Test
  void bodiesThatAreNoBatchAreRefused() throws Exception {
    byte[] good = body(List.of(bytes(1, 100)), List.of(bytes(1, 100)));
    assertThat(status(new byte[0])).isEqualTo(400);
    assertThat(status(new byte[] {0, 0})).isEqualTo(400);
    assertThat(status(new byte[] {2, 1})).as("513 chunks").isEqualTo(400);
    assertThat(status(Arrays.copyOf(good, good.length - 1))).isEqualTo(400);
    assertThat(status(Arrays.copyOf(good, good.length + 1))).isEqualTo(400);
    assertThat(status(Arrays.copyOf(good, 20))).isEqualTo(400);
    byte[] noName = good.clone();
    noName[3] = ' ';
    assertThat(status(noName)).isEqualTo(400);
    assertThat(post("/v1/chunks/get", new byte[33], TOKEN).statusCode()).isEqualTo(400);
    assertThat(post("/v1/chunks/get", new byte[513 * 32], TOKEN).statusCode()).isEqualTo(413);
    assertThat(post("/v1/chunks/delete", new byte[31], TOKEN).statusCode()).isEqualTo(400);
    for (String path : List.of("/v1/chunks", "/v1/chunks/get", "/v1/chunks/delete")) {
      assertThat(post(path, good, "another-token-0000").statusCode()).as(path).isEqualTo(403);
      assertThat(raw(path, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
          .as(path)
          .startsWith("HTTP/1.1 411 ");
    }
    assertThat(raw("/v1/chunks", "Content-Length: 16777217\r\n\r\n")).startsWith("HTTP/1.1 413 ");
    assertThat(status(good)).as("all is well after that").isEqualTo(200);
  }

  private int status(byte[] body) throws Exception {
    return post("/v1/chunks", body, TOKEN).statusCode();
  }

  private byte[] put(List<byte[]> named, List<byte[]> sent) throws Exception {
    HttpResponse<byte[]> answer = post("/v1/chunks", body(named, sent), TOKEN);
    assertThat(answer.statusCode()).isEqualTo(200);
    return answer.body();
  }

  private static List<String> failed(byte[] answer) throws IOException {
    return JsonObject.parse(answer).objects("failed").stream()
        .map(one -> {
          try {
            return one.number("at") + ": " + one.number("status");
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        })
        .toList();
  }

  private static byte[] body(List<byte[]> named, List<byte[]> sent) throws IOException {
    List<ChunkName> names = new ArrayList<>();
    for (byte[] bytes : named) {
      names.add(name(digest(bytes), bytes.length));
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.write(ChunkBatch.head(names));
    for (byte[] bytes : sent) {
      body.write(bytes);
    }
    return body.toByteArray();
  }

  private HttpResponse<byte[]> post(String path, byte[] body, String token) throws Exception {
    return client.send(
        HttpRequest.newBuilder(server.uri().resolve(path))
            .header("Authorization", "Bearer " + token)
            .timeout(Duration.ofSeconds(20))
            .POST(BodyPublishers.ofByteArray(body))
            .build(),
        BodyHandlers.ofByteArray());
  }

  private String raw(String path, String rest) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.uri().getPort())) {
      socket.setSoTimeout(20_000);
      String request =
          "POST "
              + path
              + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer "
              + TOKEN
              + "\r\n"
              + rest;
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
