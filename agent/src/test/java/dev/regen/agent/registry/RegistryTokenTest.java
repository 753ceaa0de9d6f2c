package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens: what they grant and no more, too old ones, and ones that nobody gave. */
final class RegistryTokenTest {
  private static final byte[] BLOB = bytes(1, 1000);
  private static final AtomicReference<Instant> NOW =
      new AtomicReference<>(Instant.parse("2026-07-17T10:00:00Z"));

  @SuppressWarnings("NullAway.Init")
  private static ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient anonymous;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient ann;

  @SuppressWarnings("NullAway.Init")
  private static RegistryClient bob;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    Path store = Files.createDirectory(directory.resolve("store"));
    manager =
        ServedRegistry.over(
            "dir:" + store, TestUsers.file(directory), TestUsers.rules(directory), NOW::get);
    anonymous = manager.client();
    ann = anonymous.as("ann", "ann-secret");
    bob = anonymous.as("bob", "bob-secret");
    for (String repository : List.of("public/a", "team/a", "private/a")) {
      ann.image(repository, "v1", "one");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    manager.close();
  }

  @Test
  void aTokenGrantsWhatWasAskedFor() throws Exception {
    RegistryClient pushing = bearing(ann, "repository:team/token:pull,push");
    String digest = pushing.image("team/token", "v1", "two");
    pushing.get("/v2/").is(200);

    Answer refused = pushing.delete("/v2/team/token/manifests/v1").is(401, "UNAUTHORIZED");

    assertThat(refused.header("WWW-Authenticate"))
        .endsWith(",scope=\"repository:team/token:delete\"");
    RegistryClient pulling = bearing(ann, "repository:team/token:pull");
    assertThat(pulling.head("/v2/team/token/manifests/v1").is(200).digest()).isEqualTo(digest);
    pulling.post("/v2/team/token/blobs/uploads/", NOTHING).is(401, "UNAUTHORIZED");
    pulling.get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
    bearing(ann, "repository:team/token:*").delete("/v2/team/token/manifests/v1").is(202);
  }

  @Test
  void aTokenGrantsNoMoreThanItsUserMay() throws Exception {
    RegistryClient token = bearing(bob, "repository:team/a:pull,push,delete,*,fly");
    token.get("/v2/team/a/manifests/v1").is(200);
    token.post("/v2/team/a/blobs/uploads/", NOTHING).is(403, "DENIED");
    token.delete("/v2/team/a/manifests/v1").is(403, "DENIED");
    bearing(bob, "repository:private/a:pull").get("/v2/private/a/manifests/v1").is(403, "DENIED");
  }

  @Test
  void withoutALoginATokenGrantsWhatEverybodyMay() throws Exception {
    RegistryClient token =
        bearing(anonymous, "repository:public/a:pull,push&scope=repository:team/a:pull");
    token.get("/v2/public/a/manifests/v1").is(200);
    token.get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
    token.post("/v2/public/a/blobs/uploads/", NOTHING).is(401, "UNAUTHORIZED");
    token.get("/v2/_catalog").is(401, "UNAUTHORIZED");
  }

  @Test
  void oneTokenMayGrantInSeveralRepositories() throws Exception {
    String digest = ann.blob("private/a", BLOB);
    String mount = "/v2/team/mounted/blobs/uploads/?from=private/a&mount=" + digest;
    bearing(ann, "repository:team/mounted:pull,push").post(mount, NOTHING).is(202);

    bearing(ann, "repository:team/mounted:pull,push%20repository:private/a:pull")
        .post(mount, NOTHING)
        .is(201);

    bearing(ann, "repository:team/mounted:push&scope=repository:private/a:pull")
        .post(mount, NOTHING)
        .is(201);
  }

  @Test
  void whoGotATokenSeesInTheCatalogWhatHeMayPull() throws Exception {
    Answer refused = anonymous.get("/v2/_catalog").is(401, "UNAUTHORIZED");
    assertThat(refused.header("WWW-Authenticate")).endsWith(",scope=\"registry:catalog:*\"");

    RegistryClient token = bearing(bob, "registry:catalog:*");

    assertThat(token.get("/v2/_catalog").is(200).json().strings("repositories"))
        .contains("public/a", "team/a")
        .doesNotContain("private/a");
    token.get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
  }

  @Test
  void scopesThatMeanNothingGrantNothing() throws Exception {
    for (String scope :
        List.of(
            "",
            "x",
            "repository",
            "repository:team/a",
            "repository::pull",
            ":::",
            "repository:TEAM:pull",
            "repository:team/a:",
            "image:team/a:pull",
            "repository:team/**:pull",
            "repository:" + "a".repeat(2000) + ":pull")) {
      bearing(ann, scope).get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
    }
  }

  @Test
  void aWrongPasswordGetsNoToken() throws Exception {
    Answer refused =
        anonymous
            .as("ann", "wrong")
            .get("/token?service=regen&scope=repository:public/a:pull")
            .is(401, "UNAUTHORIZED");
    assertThat(refused.header("WWW-Authenticate")).startsWith("Basic realm=");
    assertThat(anonymous.post("/token", NOTHING).is(405, "UNSUPPORTED").header("Allow"))
        .isEqualTo("GET");
  }

  @Test
  void aTokenIsOverAfterItsTime() throws Exception {
    JsonObject answer = ann.get("/token?scope=repository:team/a:pull").is(200).json();
    long seconds = answer.number("expires_in");
    assertThat(seconds).isBetween(60L, 600L);
    RegistryClient token = anonymous.with("Bearer " + answer.string("access_token"));

    NOW.updateAndGet(now -> now.plus(Duration.ofSeconds(seconds - 1)));
    token.get("/v2/team/a/manifests/v1").is(200);

    NOW.updateAndGet(now -> now.plus(Duration.ofSeconds(1)));
    token.get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
    token.get("/v2/").is(401, "UNAUTHORIZED");
  }

  @Test
  void aTokenThatSomebodyChangedIsNone() throws Exception {
    String token = token(bob, "repository:team/a:pull");
    int dot = token.indexOf('.');
    String content =
        new String(Base64.getUrlDecoder().decode(token.substring(0, dot)), StandardCharsets.UTF_8);
    String more = content.replace("team/a", "private/a");
    assertThat(more).isNotEqualTo(content);
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    String forged = base64.encodeToString(more.getBytes(StandardCharsets.UTF_8));
    for (String wrong :
        List.of(
            forged + token.substring(dot),
            token.substring(0, dot) + ".",
            token.substring(0, dot),
            token.substring(dot),
            forged + "." + base64.encodeToString(new byte[32]),
            token.substring(0, dot) + token.substring(dot, token.length() - 2),
            ".")) {
      RegistryClient client = anonymous.with("Bearer " + wrong);
      client.get("/v2/team/a/manifests/v1").is(401, "UNAUTHORIZED");
      client.get("/v2/private/a/manifests/v1").is(401, "UNAUTHORIZED");
    }
  }

  @Test
  void managersThatShareAKeyTakeEachOthersTokens(@TempDir Path directory) throws Exception {
    Path key = Files.write(directory.resolve("key"), bytes(7, 32));
    Path other = Files.write(directory.resolve("other"), bytes(8, 32));
    Path users = TestUsers.file(directory);
    try (ServedRegistry first = ServedRegistry.with(directory.resolve("1"), users, key);
        ServedRegistry second = ServedRegistry.with(directory.resolve("2"), users, key);
        ServedRegistry third = ServedRegistry.with(directory.resolve("3"), users, other)) {
      String token = token(first.client().as("ann", "ann-secret"), "repository:a:pull,push");
      second.client().with("Bearer " + token).blob("a", BLOB);
      third.client().with("Bearer " + token).get("/v2/").is(401, "UNAUTHORIZED");
    }
    Files.write(key, bytes(7, 31));
    assertThatThrownBy(() -> ServedRegistry.with(directory.resolve("1"), users, key))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("31 bytes");
  }

  private static RegistryClient bearing(RegistryClient asker, String scope) throws Exception {
    return anonymous.with("Bearer " + token(asker, scope));
  }

  private static String token(RegistryClient asker, String scope) throws Exception {
    JsonObject answer = asker.get("/token?service=regen&account=x&scope=" + scope).is(200).json();
    assertThat(answer.string("access_token")).isEqualTo(answer.string("token"));
    return answer.string("token");
  }
}
