package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.INDEX;
import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.descriptor;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.sha512;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Manifests that name another as their subject, and who finds them. */
final class ReferrersTest extends OneRegistry {
  private static final byte[] EMPTY = {'{', '}'};
  private static final String SBOM = "application/example.sbom";
  private static final String SIGNATURE = "application/example.signature+v=1";

  @Test
  void nobodyRefersToWhatIsUnknown() throws Exception {
    for (String path :
        List.of(
            "/v2/unknown/referrers/" + sha256(EMPTY),
            "/v2/unknown/referrers/" + sha512(EMPTY) + "?artifactType=a/b")) {
      assertThat(referrers(path)).isEmpty();
    }
    client.get("/v2/unknown/referrers/sha256:abc").is(400, "DIGEST_INVALID");
    client.get("/v2/unknown/referrers/latest").is(400, "DIGEST_INVALID");
  }

  @Test
  void aManifestIsListedAmongThoseOfItsSubject() throws Exception {
    byte[] image = client.imageManifest("listed", "one").bytes();
    client.blob("listed", EMPTY);
    JsonObject sbom = artifact(image, SBOM);

    Answer made = put("listed", "sbom", sbom).is(201);

    assertThat(made.header("OCI-Subject")).isEqualTo(sha256(image));
    JsonObject found = referrers("/v2/listed/referrers/" + sha256(image)).getFirst();
    assertThat(found.string("mediaType")).isEqualTo(MANIFEST);
    assertThat(found.string("digest")).isEqualTo(sha256(sbom.bytes()));
    assertThat(found.number("size")).isEqualTo(sbom.bytes().length);
    assertThat(found.string("artifactType")).isEqualTo(SBOM);
    assertThat(found.object("annotations").string("org.example")).isEqualTo("yes");
  }

  @Test
  void withoutAnArtifactTypeThatOfTheConfigurationCounts() throws Exception {
    byte[] image = client.imageManifest("type", "one").bytes();
    client.blob("type", EMPTY);
    JsonObject old = artifact(image, "").with("config", descriptor("application/old", EMPTY));
    JsonObject index =
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", INDEX)
            .with("manifests", List.of())
            .with("subject", descriptor(MANIFEST, image));
    put("type", "old", old).is(201);
    put("type", "index", index).is(201);
    put("type", "typed", index.with("artifactType", SBOM)).is(201);

    List<String> types = new ArrayList<>();
    for (JsonObject one : referrers("/v2/type/referrers/" + sha256(image))) {
      types.add(one.string("mediaType") + " " + one.stringOrNull("artifactType"));
    }

    assertThat(types)
        .containsExactlyInAnyOrder(
            MANIFEST + " application/old", INDEX + " null", INDEX + " " + SBOM);
  }

  @Test
  void aFilterLeavesThoseOfOneType() throws Exception {
    byte[] image = client.imageManifest("filter", "one").bytes();
    client.blob("filter", EMPTY);
    JsonObject signature = artifact(image, SIGNATURE);
    put("filter", "sbom", artifact(image, SBOM)).is(201);
    put("filter", sha256(signature.bytes()), signature).is(201);
    String path = "/v2/filter/referrers/" + sha256(image);

    Answer filtered = client.get(path + "?artifactType=application%2Fexample.signature%2Bv%3D1");

    assertThat(filtered.is(200).header("OCI-Filters-Applied")).isEqualTo("artifactType");
    assertThat(filtered.json().objects("manifests")).hasSize(1);
    assertThat(filtered.json().objects("manifests").getFirst().string("digest"))
        .isEqualTo(sha256(signature.bytes()));
    assertThat(referrers(path)).hasSize(2);
    assertThat(client.get(path).header("OCI-Filters-Applied")).isEmpty();
    assertThat(referrers(path + "?artifactType=application/none")).isEmpty();
    assertThat(client.get(path + "?artifactType=" + "x".repeat(1000)).is(400).body()).isNotEmpty();
  }

  @Test
  void theSubjectMayComeLaterOrNever() throws Exception {
    byte[] image = client.imageManifest("later", "one").bytes();
    client.blob("later", EMPTY);

    put("later", "sbom", artifact(image, SBOM)).is(201);

    assertThat(referrers("/v2/later/referrers/" + sha256(image))).hasSize(1);
    client.get("/v2/later/manifests/" + sha256(image)).is(404, "MANIFEST_UNKNOWN");
  }

  @Test
  void aDeletedManifestIsListedNoLonger() throws Exception {
    byte[] image = client.imageManifest("deleted", "one").bytes();
    client.blob("deleted", EMPTY);
    JsonObject sbom = artifact(image, SBOM);
    put("deleted", "sbom", sbom).is(201);
    put("deleted", "sbom", sbom).is(201);
    String path = "/v2/deleted/referrers/" + sha256(image);
    assertThat(referrers(path)).hasSize(1);
    client.delete("/v2/deleted/manifests/sbom").is(202);
    assertThat(referrers(path)).hasSize(1);

    client.delete("/v2/deleted/manifests/" + sha256(sbom.bytes())).is(202);

    assertThat(referrers(path)).isEmpty();
    put("deleted", "sbom", sbom).is(201);
    assertThat(referrers(path)).hasSize(1);
  }

  @Test
  void repositoriesAreKeptApart() throws Exception {
    byte[] image = client.imageManifest("apart/a", "one").bytes();
    client.blob("apart/a", EMPTY);

    put("apart/a", "sbom", artifact(image, SBOM)).is(201);

    assertThat(referrers("/v2/apart/b/referrers/" + sha256(image))).isEmpty();
  }

  /** A client takes a list of at most 4 MiB, as it takes a manifest. */
  @Test
  void aLongListComesInPages() throws Exception {
    byte[] image = client.imageManifest("long", "one").bytes();
    client.blob("long", EMPTY);
    Set<String> all = new TreeSet<>();
    for (int i = 0; i < 6; i++) {
      JsonObject long1 = artifact(image, i % 2 == 0 ? SBOM : SIGNATURE);
      long1.object("annotations").with("i", i + "x".repeat(1_500_000));
      put("long", sha256(long1.bytes()), long1).is(201);
      all.add(sha256(long1.bytes()));
    }

    assertThat(pages("/v2/long/referrers/" + sha256(image))).isEqualTo(all);

    assertThat(pages("/v2/long/referrers/" + sha256(image) + "?artifactType=" + SBOM)).hasSize(3);
  }

  private static Set<String> pages(String first) throws Exception {
    Set<String> found = new TreeSet<>();
    String next = first;
    while (!next.isEmpty()) {
      Answer page = client.get(next).is(200);
      assertThat(page.body().length).isLessThanOrEqualTo(4 << 20);
      for (JsonObject one : page.json().objects("manifests")) {
        assertThat(found.add(one.string("digest"))).isTrue();
      }
      next = page.header("Link").replaceFirst("^<([^>]*)>; *rel=\"next\"$", "$1");
    }
    return found;
  }

  private static JsonObject artifact(byte[] subject, String type) {
    JsonObject made =
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", MANIFEST)
            .with("config", descriptor("application/vnd.oci.empty.v1+json", EMPTY))
            .with("layers", List.of(descriptor("application/vnd.oci.empty.v1+json", EMPTY)))
            .with("subject", descriptor(MANIFEST, subject))
            .with("annotations", new JsonObject().with("org.example", "yes"));
    return type.isEmpty() ? made : made.with("artifactType", type);
  }

  private static Answer put(String repository, String reference, JsonObject manifest)
      throws Exception {
    return client.put(
        "/v2/" + repository + "/manifests/" + reference,
        manifest.bytes(),
        "Content-Type",
        manifest.string("mediaType"));
  }

  private static List<JsonObject> referrers(String path) throws Exception {
    Answer answer = client.get(path).is(200);
    assertThat(answer.header("Content-Type")).isEqualTo(INDEX);
    assertThat(answer.json().number("schemaVersion")).isEqualTo(2);
    assertThat(answer.json().string("mediaType")).isEqualTo(INDEX);
    assertThat(answer.json().members()).containsKey("manifests");
    return answer.json().objects("manifests");
  }
}
