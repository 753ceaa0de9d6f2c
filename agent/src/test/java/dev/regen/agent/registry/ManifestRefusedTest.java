package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.CONFIG;
import static dev.regen.agent.registry.RegistryClient.INDEX;
import static dev.regen.agent.registry.RegistryClient.LAYER;
import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.descriptor;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.streamed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Manifests that are none, or name what is not there. */
final class ManifestRefusedTest {
  private static final byte[] EMPTY = {'{', '}'};
  private static final int BYTES_MAX = 4 << 20;

  @SuppressWarnings("NullAway.Init")
  private static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient client;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    manager = ServedRegistry.over("dir:" + directory);
    client = manager.client();
    client.blob("here", EMPTY);
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }

  @Test
  void aBlobThatIsMissingIsNamed() throws Exception {
    byte[] missing = bytes(1, 30);
    for (JsonObject image :
        List.of(
            image(descriptor(CONFIG, missing), descriptor(LAYER, EMPTY)),
            image(descriptor(CONFIG, EMPTY), descriptor(LAYER, missing)))) {
      Answer refused = put(image.bytes(), MANIFEST).is(400, "MANIFEST_BLOB_UNKNOWN");
      assertThat(refused.toString()).contains(sha256(missing));
    }
    client.get("/v2/here/manifests/v1").is(404, "MANIFEST_UNKNOWN");
  }

  @Test
  void aBlobOfAnotherRepositoryIsMissing() throws Exception {
    client.blob("elsewhere", bytes(2, 30));
    JsonObject image = image(descriptor(CONFIG, EMPTY), descriptor(LAYER, bytes(2, 30)));

    put(image.bytes(), MANIFEST).is(400, "MANIFEST_BLOB_UNKNOWN");
  }

  @Test
  void aBlobOfAnotherLengthIsRefused() throws Exception {
    for (long size : new long[] {0, 1, 3, Long.MAX_VALUE}) {
      JsonObject layer = descriptor(LAYER, EMPTY).with("size", size);
      put(image(descriptor(CONFIG, EMPTY), layer).bytes(), MANIFEST).is(400, "SIZE_INVALID");
    }
  }

  @Test
  void itsTypeIsTheOneItIsSentAs() throws Exception {
    byte[] image = image(descriptor(CONFIG, EMPTY), descriptor(LAYER, EMPTY)).bytes();

    put(image, INDEX).is(400, "MANIFEST_INVALID");

    client.get("/v2/here/manifests/v1").is(404, "MANIFEST_UNKNOWN");
    put(image, "Application/vnd.OCI.image.manifest.v1+JSON").is(201);
    client.delete("/v2/here/manifests/v1").is(202);
  }

  @Test
  void whatIsNoManifestIsRefused() throws Exception {
    String digest = sha256(EMPTY);
    for (String text :
        List.of(
            "",
            "x",
            "[]",
            "null",
            "\"text\"",
            "{",
            "{}x",
            "{\"a\":1,\"a\":2}",
            "{\"config\":\"text\"}",
            "{\"config\":{}}",
            "{\"layers\":{}}",
            "{\"layers\":[1]}",
            "{\"layers\":[{\"size\":2}]}",
            "{\"layers\":[{\"digest\":\"" + digest + "\"}]}",
            "{\"layers\":[{\"digest\":\"" + digest + "\",\"size\":\"2\"}]}",
            "{\"layers\":[{\"digest\":\"" + digest + "\",\"size\":-2}]}",
            "{\"layers\":[{\"digest\":\"" + digest + "\",\"size\":1e400}]}",
            "{\"layers\":[{\"digest\":\"" + digest + "\",\"size\":99999999999999999999}]}",
            "{\"layers\":[{\"digest\":\""
                + digest.toUpperCase(java.util.Locale.ROOT)
                + "\",\"size\":2}]}",
            "{\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":2}]}",
            "{\"subject\":{\"digest\":\"x\",\"size\":2}}",
            "{\"mediaType\":7}",
            "{\"annotations\":[]}",
            "{\"schemaVersion\":1,\"fsLayers\":[]}",
            "{\"a\":" + "[".repeat(1000) + "]".repeat(1000) + "}",
            "\u0000\u0001")) {
      byte[] content = text.getBytes(StandardCharsets.UTF_8);
      Answer refused = client.put("/v2/here/manifests/v1", content);
      assertThat(refused.status()).as("%s: %s", text, refused).isEqualTo(400);
      refused.is(400, "MANIFEST_INVALID");
    }
    client.get("/v2/here/manifests/v1").is(404, "MANIFEST_UNKNOWN");
  }

  @Test
  void fourMebibytesAreTakenAndNotAByteMore() throws Exception {
    JsonObject image = image(descriptor(CONFIG, EMPTY), descriptor(LAYER, EMPTY));
    int others = image.with("annotations", new JsonObject().with("a", "")).bytes().length;
    String filling = "x".repeat(BYTES_MAX - others);
    byte[] most = image.with("annotations", new JsonObject().with("a", filling)).bytes();
    assertThat(most).hasSize(BYTES_MAX);
    byte[] more = image.with("annotations", new JsonObject().with("a", filling + "x")).bytes();

    put(most, MANIFEST).is(201);
    put(more, MANIFEST).is(413, "SIZE_INVALID");
    client
        .send("PUT", "/v2/here/manifests/v1", streamed(more), "Content-Type", MANIFEST)
        .is(413, "SIZE_INVALID");

    assertThat(client.get("/v2/here/manifests/v1").is(200).body()).isEqualTo(most);
    client.delete("/v2/here/manifests/v1").is(202);
  }

  @Test
  void manyValuesOrNamesAreRefused() throws Exception {
    String values = "1,".repeat(200_000) + "1";
    put(("{\"a\":[" + values + "]}").getBytes(StandardCharsets.UTF_8), MANIFEST)
        .is(400, "MANIFEST_INVALID");
    JsonObject layer = descriptor(LAYER, EMPTY);
    JsonObject image = image(descriptor(CONFIG, EMPTY), layer);
    image.with("layers", java.util.Collections.nCopies(10_001, layer));
    put(image.bytes(), MANIFEST).is(400, "MANIFEST_INVALID");
  }

  private static JsonObject image(JsonObject config, JsonObject layer) {
    return new JsonObject()
        .with("schemaVersion", 2)
        .with("mediaType", MANIFEST)
        .with("config", config)
        .with("layers", List.of(layer));
  }

  private static Answer put(byte[] content, String type) throws Exception {
    return client.put("/v2/here/manifests/v1", content, "Content-Type", type);
  }
}
