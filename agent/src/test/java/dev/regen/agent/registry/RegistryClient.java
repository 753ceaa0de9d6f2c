package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.ContentDigest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Random;

/** Sends requests as the distribution-spec has them, and wrong ones. */
final class RegistryClient {
  static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  static final String INDEX = "application/vnd.oci.image.index.v1+json";
  static final String LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
  static final String CONFIG = "application/vnd.oci.image.config.v1+json";
  static final byte[] NOTHING = {};

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final HttpClient http;
  private final URI server;
  private final String authorization;

  RegistryClient(HttpClient http, URI server) {
    this(http, server, "");
  }

  private RegistryClient(HttpClient http, URI server, String authorization) {
    this.http = http;
    this.server = server;
    this.authorization = authorization;
  }

  RegistryClient as(String user, String password) {
    byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return with("Basic " + Base64.getEncoder().encodeToString(pair));
  }

  /** Sends this as {@code Authorization}. */
  RegistryClient with(String header) {
    return new RegistryClient(http, server, header);
  }

  Answer get(String path, String... headers) throws Exception {
    return send("GET", path, BodyPublishers.noBody(), headers);
  }

  Answer head(String path) throws Exception {
    return send("HEAD", path, BodyPublishers.noBody());
  }

  Answer delete(String path) throws Exception {
    return send("DELETE", path, BodyPublishers.noBody());
  }

  Answer post(String path, byte[] body) throws Exception {
    return send("POST", path, BodyPublishers.ofByteArray(body));
  }

  Answer put(String path, byte[] body, String... headers) throws Exception {
    return send("PUT", path, BodyPublishers.ofByteArray(body), headers);
  }

  Answer patch(String path, byte[] body, String... headers) throws Exception {
    return send("PATCH", path, BodyPublishers.ofByteArray(body), headers);
  }

  /** A body whose length is not said before. */
  static BodyPublisher streamed(byte[] body) {
    return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
  }

  Answer send(String method, String path, BodyPublisher body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve(path)).method(method, body).timeout(LIMIT);
    if (headers.length > 0) {
      request.headers(headers);
    }
    if (!authorization.isEmpty()) {
      request.header("Authorization", authorization);
    }
    HttpResponse<byte[]> answer = http.send(request.build(), BodyHandlers.ofByteArray());
    return new Answer(method + " " + path, answer.statusCode(), answer.headers(), answer.body());
  }

  /** Sends bytes that need be no HTTP, ends the sending side, and returns all that comes back. */
  String raw(String request) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout((int) LIMIT.toMillis());
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  /** Begins an upload; returns where it goes on. */
  String begin(String repository) throws Exception {
    return post("/v2/" + repository + "/blobs/uploads/", NOTHING).is(202).location();
  }

  /** Pushes a blob; returns its digest. */
  String blob(String repository, byte[] bytes) throws Exception {
    String digest = sha256(bytes);
    put(begin(repository) + "?digest=" + digest, bytes).is(201);
    return digest;
  }

  /** Pushes an image of one layer under a tag; returns its digest. */
  String image(String repository, String tag, String content) throws Exception {
    byte[] manifest = imageManifest(repository, content).bytes();
    put("/v2/" + repository + "/manifests/" + tag, manifest, "Content-Type", MANIFEST).is(201);
    return sha256(manifest);
  }

  /** An image of one layer, whose blobs are pushed. */
  JsonObject imageManifest(String repository, String content) throws Exception {
    byte[] layer = content.getBytes(StandardCharsets.UTF_8);
    byte[] config = ("{\"of\":\"" + content + "\"}").getBytes(StandardCharsets.UTF_8);
    blob(repository, layer);
    blob(repository, config);
    return new JsonObject()
        .with("schemaVersion", 2)
        .with("mediaType", MANIFEST)
        .with("config", descriptor(CONFIG, config))
        .with("layers", List.of(descriptor(LAYER, layer)));
  }

  static JsonObject descriptor(String mediaType, byte[] content) {
    return new JsonObject()
        .with("mediaType", mediaType)
        .with("digest", sha256(content))
        .with("size", content.length);
  }

  static String sha256(byte[] bytes) {
    return ContentDigest.Algorithm.SHA256.of(bytes).toString();
  }

  static String sha512(byte[] bytes) {
    return ContentDigest.Algorithm.SHA512.of(bytes).toString();
  }

  static byte[] bytes(long seed, int count) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
