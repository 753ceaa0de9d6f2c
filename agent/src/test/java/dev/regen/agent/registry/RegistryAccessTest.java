package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users with a name and a password, and some without: what each may, and what not. */
final class RegistryAccessTest {
  private static final byte[] BLOB = bytes(1, 1000);

  @SuppressWarnings("NullAway.Init")
  private static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient anonymous;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient ann;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient bob;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient dan;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    Path store = Files.createDirectory(directory.resolve("store"));
    manager =
        ServedRegistry.over(
            "dir:" + store,
            TestUsers.file(directory),
            TestUsers.rules(directory),
            InstantSource.system());
    anonymous = manager.client();
    ann = anonymous.as("ann", "ann-secret");
    bob = anonymous.as("bob", "bob-secret");
    dan = anonymous.as("dan", "dan-secret");
    for (String repository : List.of("public/a", "team/a", "team/deep/a", "private/a", "shared")) {
      ann.image(repository, "v1", "one");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }

  @Test
  void theBaseAsksForALogin() throws Exception {
    Answer refused = anonymous.get("/v2/").is(401, "UNAUTHORIZED");

    assertThat(refused.header("WWW-Authenticate"))
        .isEqualTo("Bearer realm=\"" + manager.uri() + "/token\",service=\"regen\"");
    assertThat(refused.header("Docker-Distribution-API-Version")).isEqualTo("registry/2.0");
    ann.get("/v2/").is(200);
    bob.get("/v2/").is(200);
  }

  @Test
  void wrongCredentialsAreRefusedEverywhere() throws Exception {
    for (RegistryClient wrong :
        List.of(
            anonymous.as("ann", "bob-secret"),
            anonymous.as("ann", ""),
            anonymous.as("ann", "x".repeat(100)),
            anonymous.as("ann", "ann-secret\0"),
            anonymous.as("nobody", "ann-secret"),
            anonymous.as("", "ann-secret"),
            anonymous.as("ANN", "ann-secret"),
            anonymous.with("Basic !!!"),
            anonymous.with("Basic YW5u"),
            anonymous.with("Basic"),
            anonymous.with("Bearer"),
            anonymous.with("Bearer x.y"),
            anonymous.with("Bearer " + "x".repeat(10_000)),
            anonymous.with("Digest username=ann"),
            anonymous.with("ann-secret"))) {
      for (String path :
          List.of("/v2/", "/v2/_catalog", "/v2/public/a/manifests/v1", "/v2/team/a/tags/list")) {
        Answer refused = wrong.get(path).is(401, "UNAUTHORIZED");
        assertThat(refused.header("WWW-Authenticate")).as(path).startsWith("Bearer realm=");
      }
    }
  }

  @Test
  void theSchemeIsReadInAnyCase() throws Exception {
    anonymous.with("bASIC YW5uOmFubi1zZWNyZXQ=").get("/v2/").is(200);
  }

  @Test
  void withoutALoginOneMayWhatEverybodyMay() throws Exception {
    anonymous.get("/v2/public/a/manifests/v1").is(200);
    anonymous.get("/v2/public/a/tags/list").is(200);
    anonymous.get("/v2/public/a/referrers/" + sha256(BLOB)).is(200);
    anonymous.head("/v2/public/a/blobs/" + sha256(BLOB)).is(404);

    for (String path :
        List.of(
            "/v2/team/a/manifests/v1",
            "/v2/team/a/tags/list",
            "/v2/team/a/blobs/" + sha256(BLOB),
            "/v2/team/a/referrers/" + sha256(BLOB),
            "/v2/unknown/manifests/v1")) {
      Answer refused = anonymous.get(path).is(401, "UNAUTHORIZED");
      String name = path.startsWith("/v2/team") ? "team/a" : "unknown";
      assertThat(refused.header("WWW-Authenticate"))
          .endsWith(",scope=\"repository:" + name + ":pull\"");
    }
  }

  @Test
  void withoutALoginNothingIsPushedOrDeleted() throws Exception {
    Answer refused = anonymous.post("/v2/public/a/blobs/uploads/", NOTHING).is(401, "UNAUTHORIZED");
    assertThat(refused.header("WWW-Authenticate"))
        .endsWith(",scope=\"repository:public/a:pull,push\"");
    anonymous.put("/v2/public/a/manifests/v2", NOTHING, "Content-Type", MANIFEST).is(401);
    anonymous.delete("/v2/public/a/manifests/v1").is(401, "UNAUTHORIZED");
    String upload = ann.begin("public/a");
    anonymous.patch(upload, BLOB).is(401, "UNAUTHORIZED");
    anonymous.put(upload + "?digest=" + sha256(BLOB), BLOB).is(401, "UNAUTHORIZED");
    anonymous.get(upload).is(401, "UNAUTHORIZED");
    anonymous.delete(upload).is(401, "UNAUTHORIZED");

    ann.get(upload).is(204);
    anonymous.get("/v2/public/a/manifests/v1").is(200);
  }

  @Test
  void aUserWithoutTheRightIsDenied() throws Exception {
    bob.get("/v2/team/a/manifests/v1").is(200);
    bob.get("/v2/team/deep/a/manifests/v1").is(200);
    bob.get("/v2/shared/manifests/v1").is(200);
    bob.get("/v2/private/a/manifests/v1").is(403, "DENIED");
    bob.get("/v2/unknown/manifests/v1").is(403, "DENIED");
    bob.post("/v2/team/a/blobs/uploads/", NOTHING).is(403, "DENIED");
    bob.put("/v2/team/a/manifests/v2", NOTHING).is(403, "DENIED");
    bob.delete("/v2/team/a/manifests/v1").is(403, "DENIED");
    String upload = ann.begin("team/a");
    bob.get(upload).is(403, "DENIED");
    bob.patch(upload, BLOB).is(403, "DENIED");
    dan.get("/v2/team/deep/a/manifests/v1").is(403, "DENIED");
  }

  @Test
  void whoMayPushMayNotDelete() throws Exception {
    String digest = dan.image("team/pushed", "v1", "two");
    String blob = dan.blob("team/pushed", BLOB);

    dan.delete("/v2/team/pushed/manifests/v1").is(403, "DENIED");
    dan.delete("/v2/team/pushed/manifests/" + digest).is(403, "DENIED");
    dan.delete("/v2/team/pushed/blobs/" + blob).is(403, "DENIED");
    dan.delete(dan.begin("team/pushed")).is(204);

    ann.delete("/v2/team/pushed/manifests/" + digest).is(202);
    ann.delete("/v2/team/pushed/blobs/" + blob).is(202);
  }

  @Test
  void aMountNeedsTheRightToPullFromTheSource() throws Exception {
    String digest = ann.blob("private/a", BLOB);
    ann.blob("public/a", BLOB);
    String to = "/v2/team/mounted/blobs/uploads/?mount=" + digest + "&from=";

    dan.post(to + "private/a", NOTHING).is(202);

    dan.get("/v2/team/mounted/blobs/" + digest).is(404, "BLOB_UNKNOWN");
    dan.post(to + "public/a", NOTHING).is(201);
    bob.post(to + "public/a", NOTHING).is(403, "DENIED");
  }

  @Test
  void theCatalogHasWhatOneMayPull() throws Exception {
    anonymous.get("/v2/_catalog").is(401, "UNAUTHORIZED");
    assertThat(repositories(ann)).contains("private/a", "public/a", "shared", "team/a");
    assertThat(repositories(bob))
        .contains("public/a", "shared", "team/a", "team/deep/a")
        .doesNotContain("private/a");
    assertThat(repositories(dan)).doesNotContain("private/a", "team/deep/a");
    assertThat(bob.get("/v2/_catalog?n=1").json().strings("repositories"))
        .containsExactly("public/a");
  }

  private static List<String> repositories(RegistryClient client) throws Exception {
    return client.get("/v2/_catalog").is(200).json().strings("repositories");
  }
}
