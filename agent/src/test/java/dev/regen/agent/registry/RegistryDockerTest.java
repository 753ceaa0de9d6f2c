package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

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

/** {@code docker push} and {@code docker pull}, of this host's engine. */
@Tag("engine")
final class RegistryDockerTest {
  private static final int LAYER_BYTES = 300_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final Program program = Program.plain();
  private final List<String> names = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private TestManager manager;

  @BeforeEach
  void open() throws Exception {
    manager = TestManager.open(directory.resolve("store"));
  }

  @AfterEach
  void close() throws Exception {
    for (String name : names) {
      docker("rmi", "--force", name);
    }
    manager.close();
  }

  @Test
  void imageOfTenLayersComesBackWithItsIdAndItsFiles() throws Exception {
    TestImage image = load("team/ten:1", 10);
    docker("push", image.name()).ok();
    docker("rmi", image.name()).ok();

    docker("pull", image.name()).ok();

    assertThat(id(image.name())).as("seed %d", seed).isEqualTo(image.id());
    String container = docker("create", image.name()).last();
    try {
      for (int i = 0; i < image.files().size(); i++) {
        Path copy = directory.resolve("copy" + i);
        docker("cp", container + ":/" + i, copy.toString()).ok();
        assertThat(copy).as("seed %d", seed).hasBinaryContent(image.files().get(i));
      }
    } finally {
      docker("rm", container);
    }
  }

  @Test
  void imageIsPulledByItsDigest() throws Exception {
    TestImage image = load("team/digest:1", 1);
    String pushed = docker("push", image.name()).last();
    String digest = pushed.replaceFirst(".*(sha256:[0-9a-f]{64}).*", "$1");
    docker("rmi", image.name()).ok();
    String byDigest = manager.host() + "/team/digest@" + digest;

    docker("pull", byDigest).ok();
    names.add(byDigest);

    assertThat(id(byDigest)).isEqualTo(image.id());
  }

  @Test
  void layersThatTheRepositoryHasAreNotSentAgain() throws Exception {
    TestImage image = load("team/again:1", 3);
    docker("push", image.name()).ok();

    String again = docker("push", image.name()).ok();

    assertThat(again.lines().filter(line -> line.endsWith(": Layer already exists"))).hasSize(3);
  }

  @Test
  void layersOfAnotherRepositoryAreMounted() throws Exception {
    TestImage image = load("team/first:1", 3);
    docker("push", image.name()).ok();
    String second = tag(image, "team/second:1");

    String pushed = docker("push", second).ok();

    assertThat(pushed.lines().filter(line -> line.endsWith(": Mounted from team/first")))
        .hasSize(3);
    docker("rmi", image.name(), second).ok();
    docker("pull", second).ok();
    assertThat(id(second)).isEqualTo(image.id());
  }

  @Test
  void imageWithoutATagIsRefusedInWords() throws Exception {
    String missing = manager.host() + "/team/missing:1";

    Program.Ran pull = docker("pull", missing);

    assertThat(pull.code()).isNotZero();
    assertThat(pull.text()).contains("manifest for " + missing + " not found");
  }

  @Test
  void allTagsArePulled() throws Exception {
    TestImage image = load("team/tags:one", 1);
    String second = tag(image, "team/tags:two");
    docker("push", "--all-tags", manager.host() + "/team/tags").ok();
    docker("rmi", image.name(), second).ok();

    docker("pull", "--all-tags", manager.host() + "/team/tags").ok();

    assertThat(List.of(id(image.name()), id(second))).containsOnly(image.id());
  }

  private TestImage load(String name, int layers) throws Exception {
    String whole = manager.host() + "/" + name;
    TestImage image = TestImage.make(directory, random, whole, layers, LAYER_BYTES);
    docker("load", "--input", image.archive().toString()).ok();
    Files.delete(image.archive());
    names.add(whole);
    return image;
  }

  private String tag(TestImage image, String name) throws Exception {
    String whole = manager.host() + "/" + name;
    docker("tag", image.name(), whole).ok();
    names.add(whole);
    return whole;
  }

  private String id(String name) throws Exception {
    return docker("image", "inspect", "--format", "{{.Id}}", name).ok();
  }

  private Program.Ran docker(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("docker"));
    all.addAll(List.of(words));
    return program.run(all.toArray(String[]::new));
  }
}
