package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.descriptor;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.sha512;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A manager that ends and begins again on the same store. */
final class RegistryRestartTest {
  private static final byte[] BLOB = bytes(1, 5_000_000);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private RegistryClient client;

  @BeforeEach
  void start() throws IOException {
    manager = ServedRegistry.over("dir:" + directory);
    client = manager.client();
  }

  @AfterEach
  void stop() throws IOException {
    manager.close();
  }

  @Test
  void everythingIsThereAgain() throws Exception {
    String blob = client.blob("a", BLOB);
    String digest = client.image("a", "v1", "one");
    client.image("a", "v2", "two");
    client.image("a", "gone", "two");
    client.delete("/v2/a/manifests/gone").is(202);
    byte[] artifact =
        client
            .imageManifest("a", "sbom")
            .with("subject", descriptor(MANIFEST, client.imageManifest("a", "one").bytes()))
            .bytes();
    put("a", sha512(artifact), artifact);

    restart();

    assertThat(client.get("/v2/a/blobs/" + blob).is(200).body()).isEqualTo(BLOB);
    assertThat(client.head("/v2/a/manifests/v1").is(200).digest()).isEqualTo(digest);
    assertThat(client.get("/v2/a/tags/list").json().strings("tags")).containsExactly("v1", "v2");
    assertThat(client.get("/v2/_catalog").json().strings("repositories")).containsExactly("a");
    JsonObject referrer =
        client.get("/v2/a/referrers/" + digest).json().objects("manifests").getFirst();
    assertThat(referrer.string("digest")).isEqualTo(sha512(artifact));
    client.image("a", "v1", "two");
    assertThat(client.head("/v2/a/manifests/v1").digest()).isNotEqualTo(digest);
  }

  @Test
  void anUploadGoesOnWhereItWas() throws Exception {
    String upload = client.begin("a");
    client.patch(upload, Arrays.copyOf(BLOB, 3_000_000)).is(202);
    restart();

    Answer state = client.get(upload).is(204);
    assertThat(state.header("Range")).isEqualTo("0-2999999");
    client
        .patch(
            state.location(),
            Arrays.copyOfRange(BLOB, 3_000_000, 4_000_000),
            "Content-Range",
            "3000000-3999999")
        .is(202);
    restart();
    byte[] end = Arrays.copyOfRange(BLOB, 4_000_000, BLOB.length);
    Answer made = client.put(upload + "?digest=" + sha256(BLOB), end).is(201);

    assertThat(client.get(made.location()).is(200).body()).isEqualTo(BLOB);
  }

  @Test
  void wrongBytesAreFoundThoughAnotherManagerTookThem() throws Exception {
    String upload = client.begin("a");
    client.patch(upload, BLOB).is(202);
    restart();

    client.put(upload + "?digest=" + sha256(bytes(2, 5)), NOTHING).is(400, "DIGEST_INVALID");
  }

  private void restart() throws IOException {
    manager.close();
    start();
  }

  private void put(String repository, String reference, byte[] manifest) throws Exception {
    client
        .put("/v2/" + repository + "/manifests/" + reference, manifest, "Content-Type", MANIFEST)
        .is(201);
  }
}
