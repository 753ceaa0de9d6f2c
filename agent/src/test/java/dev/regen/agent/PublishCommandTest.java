package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.agent.registry.PublishedStore;
import dev.regen.agent.registry.TestUsers;
import dev.regen.agent.storage.TestCertificate;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** {@code regen publish} at managers that want a name, that serve TLS, and that are none. */
final class PublishCommandTest extends AgentWithoutEngine {
  private static final InetSocketAddress ANYWHERE =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  private static final String NOT_PUSHED = "--no-push";

  @Override
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(super.environment());
    environment.put("REGEN_KEYSET", directory.resolve("keys.json").toString());
    environment.put("DOCKER_CONFIG", directory.resolve("docker").toString());
    return environment;
  }

  @Test
  void whatDockerLoginSavedIsUsed() throws Exception {
    PublishedStore stored = PublishedStore.make(directory.resolve("there"));
    try (ManagerServer manager = manager(stored.url(), TestUsers.file(directory), null)) {
      login(manager.uri().getAuthority(), "ann:ann-secret");
      String image = manager.uri().getAuthority() + "/team/desk:today";

      Result published = regen("publish", "desk@-1", image, NOT_PUSHED, "--json");

      assertThat(published.code()).as("%s", published).isZero();
      JsonObject said = JsonObject.parse(published.out());
      assertThat(said.string("snapshot")).isEqualTo(stored.oldest().value());
      assertThat(said.string("image")).isEqualTo(image);
      assertThat(said.string("digest")).startsWith("sha256:");
    }
  }

  @Test
  void nameAndPasswordAreTakenFromTheCommandLineAndStandardInput() throws Exception {
    PublishedStore stored = PublishedStore.make(directory.resolve("there"));
    try (ManagerServer manager = manager(stored.url(), TestUsers.file(directory), null)) {
      String image = manager.uri().getAuthority() + "/team/desk";

      Result nobody = regen("publish", "desk", image, NOT_PUSHED);
      Result ann = withPassword("ann-secret\n", image);
      Result wrong = withPassword("other", image);

      assertThat(nobody.code()).isEqualTo(1);
      assertThat(nobody.err()).contains("'docker login " + manager.uri().getAuthority() + "'");
      assertThat(ann.code()).as("%s", ann).isZero();
      assertThat(ann.out())
          .startsWith(image + ":latest is published, as sha256:")
          .contains(": 2 layers, ")
          .contains("no byte of a layer was sent by it");
      assertThat(wrong.code()).isEqualTo(1);
      assertThat(wrong.err()).hasLineCount(1).doesNotContain("other");
    }
  }

  @Test
  void certificateOfOnesOwnIsTrustedWhenItIsNamed() throws Exception {
    PublishedStore stored = PublishedStore.make(directory.resolve("there"));
    TestCertificate.make(directory, "own");
    Path certificate = directory.resolve("own.crt");
    try (ManagerServer manager = manager(stored.url(), null, certificate)) {
      String image = "127.0.0.1:" + manager.uri().getPort() + "/team/desk:today";

      Result without = regen("publish", "desk", image, NOT_PUSHED);
      Result with =
          regen("publish", "desk", image, NOT_PUSHED, "--ca-file=" + certificate, "--layer=gzip");

      assertThat(without.code()).isEqualTo(1);
      assertThat(with.code()).as("%s", with).isZero();
      assertThat(with.out()).contains("packed with gzip by the manager");
    }
  }

  @Test
  void managerThatDoesNotSquashIsToldSo() throws Exception {
    HttpServer old = HttpServer.create(ANYWHERE, 0);
    old.createContext(
        "/",
        exchange -> {
          byte[] done =
              new JsonObject()
                  .with("digest", "sha256:" + "0".repeat(64))
                  .with("snapshot", "0".repeat(32))
                  .with("time", "2026-11-22T09:00:00Z")
                  .with("layers", 2)
                  .with("layerBytes", 1)
                  .bytes();
          exchange.getResponseHeaders().add("Docker-Distribution-API-Version", "registry/2.0");
          exchange.getResponseHeaders().add("Content-Type", "application/x-ndjson");
          exchange.sendResponseHeaders(200, done.length);
          exchange.getResponseBody().write(done);
          exchange.close();
        });
    old.start();
    try {
      String image = "127.0.0.1:" + old.getAddress().getPort() + "/team/desk:today";

      Result published = regen("publish", "desk", image, NOT_PUSHED, "--squash");

      assertThat(published.code()).as("%s", published).isEqualTo(1);
      assertThat(published.err()).contains("older than --squash").contains(image);
    } finally {
      old.stop(0);
    }
  }

  @Test
  void whatIsNotThereIsExitCodeThree() throws Exception {
    PublishedStore stored = PublishedStore.make(directory.resolve("there"));
    try (ManagerServer manager = manager(stored.url(), null, null)) {
      String image = manager.uri().getAuthority() + "/team/desk:today";

      Result queue = regen("publish", "none", image, NOT_PUSHED);
      Result snapshot = regen("publish", "desk@2020-01-01T00:00:00Z", image, NOT_PUSHED);

      assertThat(queue.code()).as("%s", queue).isEqualTo(3);
      assertThat(snapshot.code()).as("%s", snapshot).isEqualTo(3);
    }
  }

  @Test
  void encryptedSnapshotIsRefusedWithWhatToDo() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    assertThat(regen("key", "new").code()).isZero();
    assertThat(regen("encrypt", "desk").code()).isZero();
    String store = "dir:" + directory.resolve("shared");
    assertThat(regen("push", "desk", "--store", store, "--no-image").code()).isZero();
    try (ManagerServer manager = manager(store, null, null)) {
      String image = manager.uri().getAuthority() + "/team/desk:today";

      Result encrypted = regen("publish", "desk", image, NOT_PUSHED);

      assertThat(encrypted.code()).as("%s", encrypted).isEqualTo(4);
      assertThat(encrypted.err()).contains("is encrypted").contains("regen decrypt desk@");
    }
  }

  @Test
  void whatIsNoManagerIsToldSo() throws Exception {
    HttpServer other = HttpServer.create(ANYWHERE, 0);
    other.start();
    try {
      String host = "127.0.0.1:" + other.getAddress().getPort();

      Result none = regen("publish", "desk", host + "/team/desk:today", NOT_PUSHED);

      assertThat(none.code()).isEqualTo(1);
      assertThat(none.err()).contains(host + " is no 'regen manager'").hasLineCount(1);
    } finally {
      other.stop(0);
    }
    Result gone = regen("publish", "desk", "127.0.0.1:1/team/desk:today", NOT_PUSHED);
    assertThat(gone.code()).isEqualTo(1);
    assertThat(gone.err()).contains("http://127.0.0.1:1 does not answer").hasLineCount(1);
  }

  @Test
  void wrongUsageIsExitCodeTwoBeforeAnythingIsPushed() {
    for (String wrong :
        new String[] {
          "publish desk desk:today",
          "publish desk team/desk:today",
          "publish desk 127.0.0.1:5000/Desk:today",
          "publish desk 127.0.0.1:5000/desk:-",
          "publish desk 127.0.0.1:5000/desk --layer=lz4",
          "publish desk 127.0.0.1:5000/desk --manifest=docker",
          "publish desk 127.0.0.1:5000/desk --user=ann",
          "publish desk 127.0.0.1:5000/desk --no-push --store=dir:/srv"
        }) {
      Result result = regen(wrong.split(" ", -1));

      assertThat(result.code()).as("%s: %s", wrong, result).isEqualTo(2);
      assertThat(result.err()).as(wrong).hasLineCount(1);
    }
  }

  private Result withPassword(String password, String image) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] words = {"publish", "desk", image, NOT_PUSHED, "--user=ann", "--password-stdin"};
    ByteArrayInputStream in = new ByteArrayInputStream(password.getBytes(StandardCharsets.UTF_8));
    int code = Main.run(words, environment(), in, out, err, false);
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private void login(String host, String pair) throws IOException {
    String auth = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    JsonObject auths = new JsonObject().with(host, new JsonObject().with("auth", auth));
    Path config = Files.createDirectories(directory.resolve("docker")).resolve("config.json");
    Files.write(config, new JsonObject().with("auths", auths).bytes());
  }

  /**
   * A manager.
   *
   * @param certificate null for plain HTTP; its key lies beside it
   */
  private ManagerServer manager(String store, @Nullable Path htpasswd, @Nullable Path certificate)
      throws IOException {
    Path key = certificate == null ? null : certificate.resolveSibling("own.key");
    Path rules = htpasswd == null ? null : TestUsers.rules(directory);
    return new ManagerServer(
        new ManagerOptions(
            new Listening(ANYWHERE, certificate, key, null),
            StoreUrl.parse(store),
            htpasswd,
            rules,
            null,
            null,
            null));
  }
}
