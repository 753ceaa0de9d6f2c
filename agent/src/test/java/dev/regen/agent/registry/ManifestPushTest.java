package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.CONFIG;
import static dev.regen.agent.registry.RegistryClient.INDEX;
import static dev.regen.agent.registry.RegistryClient.LAYER;
import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.descriptor;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.sha512;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Manifests of every kind, which come back as they went, to the byte. */
final class ManifestPushTest extends OneRegistry {
  private static final byte[] EMPTY = {'{', '}'};
  private static final String EMPTY_TYPE = "application/vnd.oci.empty.v1+json";

  @Test
  void anImageIsFoundByItsTagAndByItsDigest() throws Exception {
    byte[] image = client.imageManifest("found", "one").bytes();

    Answer made = put("found", "v1", image, MANIFEST).is(201);

    assertThat(made.digest()).isEqualTo(sha256(image));
    assertThat(client.get(made.location()).is(200).body()).isEqualTo(image);
    assertIs("found", "v1", image, MANIFEST);
    assertIs("found", sha256(image), image, MANIFEST);
    String encoded = sha256(image).replace(":", "%3A");
    assertThat(client.get("/v2/found/manifests/" + encoded).is(200).body()).isEqualTo(image);
  }

  @Test
  void whoHasTheManifestIsToldSo() throws Exception {
    client.image("known", "v1", "one");
    Answer head = client.head("/v2/known/manifests/v1").is(200);

    Answer same = client.get("/v2/known/manifests/v1", "If-None-Match", head.header("ETag"));

    assertThat(same.is(304).digest()).isEqualTo(head.digest());
    client.image("known", "v1", "another");
    client.get("/v2/known/manifests/v1", "If-None-Match", head.header("ETag")).is(200);
  }

  @Test
  void pushedByItsDigestItNeedsNoTag() throws Exception {
    byte[] image = client.imageManifest("digest", "one").bytes();
    for (String digest : List.of(sha256(image), sha512(image))) {
      Answer made = put("digest", digest, image, MANIFEST).is(201);
      assertThat(made.digest()).isEqualTo(digest);
      assertIs("digest", digest, image, MANIFEST);
    }
    assertThat(client.get("/v2/digest/tags/list").is(200).json().strings("tags")).isEmpty();
  }

  @Test
  void aWrongDigestIsRefused() throws Exception {
    byte[] image = client.imageManifest("wrong", "one").bytes();
    for (String digest :
        List.of(
            sha256(EMPTY),
            sha512(EMPTY),
            "sha256:baddigeststring",
            "md5:00",
            "sha256:",
            ":",
            "a:b")) {
      put("wrong", digest, image, MANIFEST).is(400, "DIGEST_INVALID");
    }
    client.get("/v2/wrong/manifests/" + sha256(EMPTY)).is(404, "MANIFEST_UNKNOWN");
    client.get("/v2/wrong/manifests/" + sha256(image)).is(404, "MANIFEST_UNKNOWN");
    client.get("/v2/wrong/manifests/sha256:baddigeststring").is(400, "DIGEST_INVALID");
  }

  @Test
  void aPushByDigestMaySetTagsToo() throws Exception {
    byte[] image = client.imageManifest("tags", "one").bytes();

    Answer made = put("tags", sha512(image) + "?tag=a&tag=b&tag=a", image, MANIFEST).is(201);

    assertThat(made.headers().allValues("OCI-Tag")).contains("a", "b");
    assertThat(client.head("/v2/tags/manifests/a").is(200).digest()).isEqualTo(sha512(image));
    assertThat(client.head("/v2/tags/manifests/b").is(200).digest()).isEqualTo(sha512(image));
    put("tags", sha256(image) + "?tag=c&tag=.wrong", image, MANIFEST).is(400, "TAG_INVALID");
    client.head("/v2/tags/manifests/c").is(404);
    client.head("/v2/tags/manifests/" + sha256(image)).is(404);
  }

  @Test
  void aTagMovesToTheManifestThatWasPushedLast() throws Exception {
    String first = client.image("moves", "v1", "one");
    String second = client.image("moves", "v1", "two");

    assertThat(client.head("/v2/moves/manifests/v1").digest()).isEqualTo(second);
    client.get("/v2/moves/manifests/" + first).is(200);
    client.image("moves", "v1", "one");
    assertThat(client.head("/v2/moves/manifests/v1").digest()).isEqualTo(first);
  }

  @Test
  void anIndexMayBeNestedOrEmptyOrNameWhatIsNotThere() throws Exception {
    byte[] image = client.imageManifest("index", "one").bytes();
    put("index", sha256(image), image, MANIFEST).is(201);
    byte[] inner = index(descriptor(MANIFEST, image)).bytes();
    byte[] outer = index(descriptor(INDEX, inner), descriptor(MANIFEST, image)).bytes();
    byte[] sparse = index(descriptor(MANIFEST, bytes(1, 100))).bytes();
    byte[] empty = index().bytes();
    for (byte[] one : List.of(inner, outer, sparse, empty)) {
      put("index", "latest", one, INDEX).is(201);
      assertIs("index", "latest", one, INDEX);
      assertIs("index", sha256(one), one, INDEX);
    }
  }

  @Test
  void artifactsAreManifestsToo() throws Exception {
    client.blob("artifact", EMPTY);
    JsonObject withConfig =
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", MANIFEST)
            .with("artifactType", "application/example")
            .with("config", descriptor(EMPTY_TYPE, EMPTY).with("data", "e30="))
            .with("layers", List.of(descriptor(EMPTY_TYPE, EMPTY)))
            .with("annotations", new JsonObject().with("org.example", "ä"));
    JsonObject withoutLayers =
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", MANIFEST)
            .with("config", descriptor("application/example.config", EMPTY))
            .with("layers", List.of());
    JsonObject oras =
        new JsonObject()
            .with("mediaType", "application/vnd.oci.artifact.manifest.v1+json")
            .with("artifactType", "application/example")
            .with("blobs", List.of(descriptor("application/example", EMPTY)));
    for (JsonObject one : List.of(withConfig, withoutLayers, oras)) {
      put("artifact", "a", one.bytes(), one.string("mediaType")).is(201);
      assertIs("artifact", "a", one.bytes(), one.string("mediaType"));
    }
  }

  @Test
  void contentWithinADescriptorIsKept() throws Exception {
    byte[] layer = bytes(2, 200);
    client.blob("data", EMPTY);
    client.blob("data", layer);
    byte[] image =
        image(
                descriptor(CONFIG, EMPTY).with("data", "e30="),
                descriptor(LAYER, layer).with("data", Base64.getEncoder().encodeToString(layer)))
            .bytes();

    put("data", "v1", image, MANIFEST).is(201);

    assertIs("data", "v1", image, MANIFEST);
  }

  @Test
  void whatNobodyKnowsIsKeptToTheByte() throws Exception {
    client.blob("unknown", EMPTY);
    String text =
        " {~\t\"future\" : {\"x\":[1.50,-0,1e3,null,true]}, \"mediaType\":\"application/x.future+json\","
            + "\"config\":{\"size\":2,\"unknown\":\"\\u00e4\\/\",\"digest\":\""
            + sha256(EMPTY)
            + "\"},\"schemaVersion\":2 }~~";
    byte[] manifest = text.replace("~", "\r\n").getBytes(StandardCharsets.UTF_8);

    put("unknown", "v1", manifest, "application/x.future+json").is(201);

    assertIs("unknown", "v1", manifest, "application/x.future+json");
    byte[] nothing = "{\"whatever\":1}".getBytes(StandardCharsets.UTF_8);
    put("unknown", "v2", nothing, "application/y+json; charset=utf-8").is(201);
    assertIs("unknown", "v2", nothing, "application/y+json");
  }

  @Test
  void layersThatAreNotDistributedNeedNotBeThere() throws Exception {
    client.blob("foreign", EMPTY);
    for (String type :
        List.of(
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd")) {
      JsonObject layer =
          descriptor(type, bytes(3, 50)).with("urls", List.of("https://example.org/layer"));
      byte[] image = image(descriptor(CONFIG, EMPTY), layer).bytes();
      put("foreign", "v1", image, MANIFEST).is(201);
      assertIs("foreign", "v1", image, MANIFEST);
    }
  }

  private static JsonObject index(JsonObject... manifests) {
    return new JsonObject()
        .with("schemaVersion", 2)
        .with("mediaType", INDEX)
        .with("manifests", List.of(manifests));
  }

  private static JsonObject image(JsonObject config, JsonObject layer) {
    return new JsonObject()
        .with("schemaVersion", 2)
        .with("mediaType", MANIFEST)
        .with("config", config)
        .with("layers", List.of(layer));
  }

  private static Answer put(String repository, String reference, byte[] content, String type)
      throws Exception {
    return client.put(
        "/v2/" + repository + "/manifests/" + reference, content, "Content-Type", type);
  }

  private static void assertIs(String repository, String reference, byte[] content, String type)
      throws Exception {
    String path = "/v2/" + repository + "/manifests/" + reference;
    String digest = reference.contains(":") ? reference : sha256(content);
    Answer got = client.get(path).is(200);
    assertThat(got.body()).as("%s", got).isEqualTo(content);
    Answer head = client.head(path).is(200);
    assertThat(head.body()).isEmpty();
    for (Answer one : List.of(got, head)) {
      assertThat(one.header("Content-Type")).as("%s", one).isEqualTo(type);
      assertThat(one.header("Content-Length")).as("%s", one).isEqualTo("" + content.length);
      assertThat(one.digest()).as("%s", one).isEqualTo(digest);
    }
  }
}
