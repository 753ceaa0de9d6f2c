package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.transfer.TestHost;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code POST /v2/NAME/_regen/publish}: who may, what is answered, and what is refused how. */
final class PublishResourceTest {
  private static final String PATH = "/v2/team/desk/_regen/publish";
  private static final String RULES =
      """
      {"rights": [
        {"users": ["bob"], "repositories": ["team/**"], "may": ["pull", "push", "delete"]},
        {"users": ["dan"], "repositories": ["**"], "may": ["pull", "push", "publish"]}],
       "repositories": [
        {"match": ["team/**"], "immutableTags": ["v*"]},
        {"match": ["small"], "quotaBytes": 1000}]}
      """;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private PublishedStore stored;

  @SuppressWarnings("NullAway.Init")
  private ServedRegistry manager;

  @SuppressWarnings("NullAway.Init")
  private RegistryClient dan;

  @BeforeEach
  void open() throws Exception {
    stored = PublishedStore.make(directory);
    manager =
        ServedRegistry.over(
            stored.url(),
            TestUsers.file(directory),
            Files.writeString(directory.resolve("rules.json"), RULES),
            InstantSource.system());
    dan = manager.client().as("dan", "dan-secret");
  }

  @AfterEach
  void close() throws Exception {
    manager.close();
  }

  @Test
  void theLastLineIsTheDigestThatTheTagMeans() throws Exception {
    JsonObject said = last(dan.post(PATH, body(stored.newest(), "today")).is(200));

    Answer manifest = dan.get("/v2/team/desk/manifests/today").is(200);
    assertThat(manifest.digest()).isEqualTo(said.string("digest"));
    assertThat(said.string("snapshot")).isEqualTo(stored.newest().value());
    assertThat(said.number("layers")).isEqualTo(2);
    for (JsonObject layer : manifest.json().objects("layers")) {
      byte[] blob = dan.get("/v2/team/desk/blobs/" + layer.string("digest")).is(200).body();
      assertThat(RegistryClient.sha256(blob)).isEqualTo(layer.string("digest"));
    }
  }

  @Test
  void itNeedsARightOfItsOwnForItReadsOthersSnapshots() throws Exception {
    byte[] body = body(stored.newest(), "today");

    manager.client().post(PATH, body).is(401, "UNAUTHORIZED");
    manager.client().as("bob", "bob-secret").post(PATH, body).is(403, "DENIED");
  }

  @Test
  void tagThatIsImmutableIsToldInTheLastLine() throws Exception {
    JsonObject first = last(dan.post(PATH, body(stored.oldest(), "v1")).is(200));
    last(dan.post(PATH, body(stored.oldest(), "v1")).is(200)).string("digest");

    JsonObject second = last(dan.post(PATH, body(stored.newest(), "v1")).is(200));

    assertThat(second.number("status")).isEqualTo(403);
    assertThat(second.objects("errors").getFirst().string("code")).isEqualTo("DENIED");
    assertThat(dan.get("/v2/team/desk/manifests/v1").digest()).isEqualTo(first.string("digest"));
  }

  @Test
  void repositoryThatIsFullIsToldInTheLastLine() throws Exception {
    JsonObject said = last(dan.post("/v2/small/_regen/publish", body(stored.newest(), "today")));

    assertThat(said.number("status")).isEqualTo(403);
    assertThat(said.objects("errors").getFirst().string("message")).contains("may have 1000 bytes");
  }

  @Test
  void whatIsNotInTheStoreIs404() throws Exception {
    Answer other = dan.post(PATH, json("desk", "f".repeat(32), "today").bytes()).is(404, "UNKNOWN");
    dan.post(PATH, json("none", "latest", "today").bytes()).is(404, "UNKNOWN");

    assertThat(other.json().objects("errors").getFirst().string("message"))
        .contains("this is the store that the manager serves")
        .doesNotContain(directory.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "tag, a b, TAG_INVALID",
    "queue, a b, MANIFEST_INVALID",
    "snapshot, ../a, MANIFEST_INVALID",
    "layer, lz4, MANIFEST_INVALID",
    "manifest, docker, MANIFEST_INVALID"
  })
  void wrongRequestIs400(String member, String value, String code) throws Exception {
    JsonObject json = json("desk", "latest", "today").with(member, value);

    dan.post(PATH, json.bytes()).is(400, code);
  }

  @Test
  void otherBodiesAndMethodsAreRefused() throws Exception {
    dan.post(PATH, "no JSON".getBytes(StandardCharsets.UTF_8)).is(400, "MANIFEST_INVALID");
    dan.post(PATH, new byte[20_000]).is(413, "SIZE_INVALID");
    dan.get(PATH).is(405, "UNSUPPORTED");
  }

  private static byte[] body(SnapshotId snapshot, String tag) {
    return json(TestHost.DESK.value(), snapshot.value(), tag).bytes();
  }

  private static JsonObject json(String queue, String snapshot, String tag) {
    return new JsonObject().with("queue", queue).with("snapshot", snapshot).with("tag", tag);
  }

  private static JsonObject last(Answer answer) throws Exception {
    assertThat(answer.header("Content-Type")).as("%s", answer).isEqualTo("application/x-ndjson");
    List<String> lines = new String(answer.body(), StandardCharsets.UTF_8).lines().toList();
    return JsonObject.parse(lines.getLast());
  }
}
