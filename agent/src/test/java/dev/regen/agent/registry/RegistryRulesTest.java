package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static dev.regen.agent.registry.RegistryClient.streamed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator's files say, when they change, and when they say nonsense. */
final class RegistryRulesTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path rules;

  @SuppressWarnings("NullAway.Init")
  private ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private RegistryClient client;

  @BeforeEach
  void start() throws IOException {
    rules = Files.writeString(directory.resolve("rules.json"), "{}");
    manager = start(null);
    client = manager.client();
  }

  @AfterEach
  void stop() throws IOException {
    manager.close();
  }

  @Test
  void anImmutableTagMeansOneManifestForEver() throws Exception {
    rule("{\"repositories\":[{\"match\":[\"a\"],\"immutableTags\":[\"v*\"]}]}");
    String digest = client.image("a", "v1", "one");
    byte[] other = client.imageManifest("a", "two").bytes();

    put("a", "v1", other).is(403, "DENIED");
    put("a", sha256(other) + "?tag=v1", other).is(403, "DENIED");
    client.delete("/v2/a/manifests/v1").is(403, "DENIED");
    client.delete("/v2/a/manifests/" + digest).is(403, "DENIED");

    assertThat(client.head("/v2/a/manifests/v1").is(200).digest()).isEqualTo(digest);
    JsonObject needed = client.get("/v2/a/manifests/v1").is(200).json();
    String config = needed.object("config").string("digest");
    String layer = needed.objects("layers").getFirst().string("digest");
    client.delete("/v2/a/blobs/" + config).is(403, "DENIED");
    client.delete("/v2/a/blobs/" + layer).is(403, "DENIED");
    client.get("/v2/a/blobs/" + layer).is(200);
    client.blob("a", bytes(4, 100));
    client.delete("/v2/a/blobs/" + sha256(bytes(4, 100))).is(202);
    client.image("a", "v1", "one");
    put("a", "latest", other).is(201);
    client.image("a", "latest", "one");
    client.image("b", "v1", "one");
    client.image("b", "v1", "two");
  }

  @Test
  void aRepositoryHasNoMoreThanItsQuota() throws Exception {
    rule("{\"repositories\":[{\"match\":[\"small/**\"],\"quotaBytes\":1000000}]}");
    byte[] most = bytes(1, 600_000);
    byte[] more = bytes(2, 400_001);
    client.blob("small/a", most);
    client.blob("large", most);
    client.blob("large", more);

    String upload = client.begin("small/a");
    String digest = "?digest=" + sha256(more);
    client.put(upload + digest, more).is(403, "DENIED");
    client.send("PUT", upload + digest, streamed(more)).is(403, "DENIED");
    client.post("/v2/small/a/blobs/uploads/" + digest, more).is(403, "DENIED");
    client
        .post("/v2/small/a/blobs/uploads/?from=large&mount=" + sha256(more), NOTHING)
        .is(403, "DENIED");

    client.patch(upload, bytes(5, 300_000)).is(202);
    client.patch(upload, bytes(6, 100_001)).is(403, "DENIED");
    client.send("PATCH", upload, streamed(bytes(6, 100_001))).is(403, "DENIED");
    assertThat(client.get(upload).is(204).header("Range")).isEqualTo("0-299999");
    client.send("PATCH", upload, streamed(bytes(6, 100_000))).is(202);
    client.delete(upload).is(204);

    client.get("/v2/small/a/blobs/" + sha256(more)).is(404, "BLOB_UNKNOWN");
    client.blob("small/b", more);
    client.blob("small/a", bytes(3, 400_000));
    client.delete("/v2/small/a/blobs/" + sha256(most)).is(202);
    client.blob("small/a", more);
  }

  @Test
  void whatIsReadOnlyIsReadAlone() throws Exception {
    String digest = client.image("a", "v1", "one");
    String upload = client.begin("a");

    rule("{\"readOnly\":true}");

    client.get("/v2/a/manifests/v1").is(200);
    client.head("/v2/a/manifests/" + digest).is(200);
    client.get("/v2/a/tags/list").is(200);
    client.get(upload).is(204);
    client.patch(upload, bytes(1, 10)).is(403, "DENIED");
    client.put(upload + "?digest=" + sha256(NOTHING), NOTHING).is(403, "DENIED");
    client.post("/v2/a/blobs/uploads/", NOTHING).is(403, "DENIED");
    client.put("/v2/a/manifests/v2", NOTHING).is(403, "DENIED");
    client.delete("/v2/a/manifests/v1").is(403, "DENIED");

    rule("{\"readOnly\":false}");
    client.put(upload + "?digest=" + sha256(NOTHING), NOTHING).is(201);
  }

  @Test
  void nonsenseLeavesTheRulesBefore() throws Exception {
    rule("{\"readOnly\":true}");
    client.post("/v2/a/blobs/uploads/", NOTHING).is(403, "DENIED");
    for (String nonsense : List.of("", "{", "{\"readonly\":false}", "{\"readOnly\":\"false\"}")) {
      rule(nonsense);
      client.post("/v2/a/blobs/uploads/", NOTHING).is(403, "DENIED");
    }
    Files.delete(rules);
    client.post("/v2/a/blobs/uploads/", NOTHING).is(403, "DENIED");

    Files.writeString(rules, "{}");
    client.post("/v2/a/blobs/uploads/", NOTHING).is(202);
  }

  @Test
  void nonsenseIsRefusedAtTheStart() throws Exception {
    for (String nonsense :
        List.of(
            "",
            "[]",
            "{\"quota\":1}",
            "{\"rights\":[{\"may\":[\"fly\"]}]}",
            "{\"rights\":[{\"user\":[\"ann\"]}]}",
            "{\"repositories\":[{\"match\":\"a\"}]}",
            "{\"repositories\":[{\"match\":[\"\"]}]}",
            "{\"repositories\":[{\"match\":[\"a\"],\"quotaBytes\":\"1 GB\"}]}")) {
      Files.writeString(rules, nonsense);
      assertThatThrownBy(() -> start(null))
          .as(nonsense)
          .isInstanceOf(RegenException.BadInput.class);
    }
    Files.writeString(rules, "{}");
    for (String nonsense : List.of("ann", "ann:secret", ":$2y$05$x", "ann:$apr1$x$y")) {
      Path users = Files.writeString(directory.resolve("htpasswd"), nonsense);
      assertThatThrownBy(() -> start(users))
          .as(nonsense)
          .isInstanceOf(RegenException.BadInput.class);
    }
  }

  @Test
  void usersComeAndGoWithTheirFile() throws Exception {
    Path users = TestUsers.file(directory);
    manager.close();
    manager = start(users);
    RegistryClient bob = manager.client().as("bob", "bob-secret");
    bob.get("/v2/").is(200);

    TestUsers.onlyAnn(users);

    bob.get("/v2/").is(401, "UNAUTHORIZED");
    RegistryClient ann = manager.client().as("ann", "ann-secret");
    ann.get("/v2/").is(200);
    TestUsers.change(users, "nonsense");
    ann.get("/v2/").is(200);
    bob.get("/v2/").is(401, "UNAUTHORIZED");
    Files.delete(users);
    ann.get("/v2/").is(200);
    TestUsers.file(directory);
    bob.get("/v2/").is(200);
  }

  @Test
  void withoutRightsWhoLogsInMayEverythingAndOthersNothing() throws Exception {
    manager.close();
    manager = start(TestUsers.file(directory));
    manager.client().as("bob", "bob-secret").image("any/where", "v1", "one");

    manager.client().get("/v2/any/where/manifests/v1").is(401, "UNAUTHORIZED");
  }

  private ServedRegistry start(@Nullable Path users) throws IOException {
    return ServedRegistry.over(
        "dir:" + directory.resolve(users == null ? "store" : "store2"),
        users,
        rules,
        InstantSource.system());
  }

  private void rule(String json) throws IOException {
    TestUsers.change(rules, json);
  }

  private Answer put(String repository, String reference, byte[] manifest) throws Exception {
    return client.put(
        "/v2/" + repository + "/manifests/" + reference, manifest, "Content-Type", MANIFEST);
  }
}
