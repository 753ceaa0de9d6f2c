package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.ContentDigest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code skopeo}, and {@code umoci} on what it fetched. */
@Tag("engine")
final class RegistrySkopeoTest {
  private static final int LAYER_BYTES = 300_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Program program = Program.plain();

  @SuppressWarnings("NullAway.Init")
  private TestManager manager;

  @BeforeEach
  void open() throws Exception {
    manager = TestManager.open(directory.resolve("store"));
  }

  @AfterEach
  void close() throws Exception {
    manager.close();
  }

  @Test
  void imageOfTenLayersComesBackAsItWas() throws Exception {
    TestImage image = make("ten", 10);
    copy(image.source(), at("team/ten:1")).ok();
    Path back = directory.resolve("back.tar");

    copy(at("team/ten:1"), "docker-archive:" + back + ":ten:1").ok();

    assertThat(id("docker-archive:" + back)).as("seed %d", seed).isEqualTo(image.id());
    assertThat(id(at("team/ten:1"))).isEqualTo(image.id());
  }

  @Test
  void whatWasFetchedIsUnpackedByUmoci() throws Exception {
    TestImage image = make("oci", 2);
    copy(image.source(), at("team/oci:1"), "--format=oci").ok();

    copy(at("team/oci:1"), "oci:" + directory.resolve("layout") + ":1").ok();

    program
        .run(
            "umoci",
            "unpack",
            "--image=" + directory.resolve("layout") + ":1",
            directory.resolve("bundle").toString())
        .ok();
    for (int i = 0; i < 2; i++) {
      assertThat(directory.resolve("bundle/rootfs/" + i))
          .as("seed %d", seed)
          .hasBinaryContent(image.files().get(i));
    }
  }

  @Test
  void layersThatAreThereAreNotSentAgain() throws Exception {
    Path layout = directory.resolve("layout");
    copy(make("again", 2).source(), "oci:" + layout + ":1").ok();
    copy("oci:" + layout + ":1", at("team/again:1")).ok();

    String again = debugged("oci:" + layout + ":1", at("team/again:2"));

    assertThat(again).contains("... already exists").doesNotContain("PATCH", "POST");
  }

  @Test
  void layersOfAnotherRepositoryAreMounted() throws Exception {
    copy(make("first", 2).source(), at("team/first:1")).ok();

    String second = debugged(at("team/first:1"), at("team/second:1"));

    assertThat(second.lines().filter(line -> line.contains("... mount OK"))).hasSize(2);
  }

  @Test
  void indexOfTwoArchitecturesIsCopiedWhole() throws Exception {
    Path layout = layoutOfTwoArchitectures();
    copy("oci:" + layout + ":both", at("team/both:1"), "--all").ok();

    copy(at("team/both:1"), at("other/both:1"), "--all").ok();
    copy(at("other/both:1"), "oci:" + directory.resolve("back") + ":both", "--all").ok();

    assertThat(blobs(directory.resolve("back"))).isEqualTo(blobs(layout));
    String arm =
        inspect(
            "inspect", "--override-arch=arm64", "--format={{.Architecture}}", at("other/both:1"));
    assertThat(arm).isEqualTo("arm64");
  }

  @Test
  void deletedImageIsGoneWithItsTags() throws Exception {
    TestImage image = make("gone", 1);
    copy(image.source(), at("team/gone:1")).ok();
    copy(at("team/gone:1"), at("team/gone:2")).ok();

    program.run("skopeo", "delete", "--tls-verify=false", at("team/gone:1")).ok();

    Program.Ran after = program.run("skopeo", "inspect", "--tls-verify=false", at("team/gone:2"));
    assertThat(after.code()).isNotZero();
    assertThat(after.text()).contains("manifest unknown");
  }

  @Test
  void tagsAreListed() throws Exception {
    TestImage image = make("tags", 1);
    for (String tag : List.of("b", "a", "1.0")) {
      copy(image.source(), at("team/tags:" + tag)).ok();
    }

    String listed =
        program
            .run(
                "skopeo",
                "list-tags",
                "--tls-verify=false",
                "docker://" + manager.host() + "/team/tags")
            .ok();

    assertThat(JsonObject.parse(listed).strings("Tags")).containsExactly("1.0", "a", "b");
  }

  /** Repositories with all their tags, copied from one registry to another and compared. */
  @Test
  void repositoryIsSyncedToAnotherRegistry() throws Exception {
    TestImage image = make("sync", 2);
    copy(image.source(), at("team/sync:1")).ok();
    copy(image.source(), at("team/sync:2")).ok();
    try (TestManager second = TestManager.open(directory.resolve("second"))) {
      program
          .run(
              "skopeo",
              "sync",
              "--src=docker",
              "--dest=docker",
              "--src-tls-verify=false",
              "--dest-tls-verify=false",
              manager.host() + "/team/sync",
              second.host() + "/copies")
          .ok();

      assertThat(id("docker://" + second.host() + "/copies/sync:2")).isEqualTo(image.id());
    }
  }

  private TestImage make(String name, int layers) throws Exception {
    return TestImage.make(directory, random, name + ":1", layers, LAYER_BYTES);
  }

  /** An index of two images, made by {@code umoci} and by hand. */
  private Path layoutOfTwoArchitectures() throws Exception {
    Path layout = directory.resolve("layout");
    List<JsonObject> manifests = new ArrayList<>();
    for (String architecture : List.of("amd64", "arm64")) {
      String image = layout + ":" + architecture;
      copy(make(architecture, 2).source(), "oci:" + image).ok();
      program.run("umoci", "config", "--image=" + image, "--architecture=" + architecture).ok();
    }
    JsonObject index = JsonObject.parse(Files.readString(layout.resolve("index.json")));
    for (JsonObject manifest : index.objects("manifests")) {
      String architecture =
          manifest.object("annotations").string("org.opencontainers.image.ref.name");
      manifests.add(
          new JsonObject()
              .with("mediaType", manifest.string("mediaType"))
              .with("digest", manifest.string("digest"))
              .with("size", manifest.number("size"))
              .with(
                  "platform",
                  new JsonObject().with("architecture", architecture).with("os", "linux")));
    }
    byte[] both =
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", "application/vnd.oci.image.index.v1+json")
            .with("manifests", manifests)
            .bytes();
    String hex = ContentDigest.Algorithm.SHA256.of(both).hex();
    Files.write(layout.resolve("blobs/sha256/" + hex), both);
    JsonObject named =
        new JsonObject()
            .with("mediaType", "application/vnd.oci.image.index.v1+json")
            .with("digest", "sha256:" + hex)
            .with("size", both.length)
            .with(
                "annotations", new JsonObject().with("org.opencontainers.image.ref.name", "both"));
    Files.write(
        layout.resolve("index.json"),
        new JsonObject().with("schemaVersion", 2).with("manifests", List.of(named)).bytes());
    program.run("umoci", "gc", "--layout=" + layout).ok();
    return layout;
  }

  private static List<String> blobs(Path layout) throws Exception {
    try (var files = Files.list(layout.resolve("blobs/sha256"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private String at(String name) {
    return "docker://" + manager.host() + "/" + name;
  }

  private Program.Ran copy(String from, String to, String... options) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"));
    words.addAll(List.of(options));
    words.addAll(List.of(from, to));
    return program.run(words.toArray(String[]::new));
  }

  /** As {@link #copy}; returns what it says of each request. */
  private String debugged(String from, String to) throws Exception {
    return program
        .run(
            "skopeo",
            "--debug",
            "copy",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to)
        .ok();
  }

  /** The image's id: the digest of its configuration. */
  private String id(String image) throws Exception {
    byte[] config = inspect("inspect", "--config", "--raw", image).getBytes(StandardCharsets.UTF_8);
    return ContentDigest.Algorithm.SHA256.of(config).toString();
  }

  private String inspect(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("skopeo", words[0], "--tls-verify=false"));
    all.addAll(List.of(words).subList(1, words.length));
    return program.run(all.toArray(String[]::new)).ok();
  }
}
