package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.registry.ManagerProcess;
import dev.regen.agent.registry.TestImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docker push} and {@code docker pull} of Docker 28 with its containerd store. */
@EngineTest(Place.Docker28.class)
@Tag("long")
class RegistryDocker28Test {
  private static final int LAYERS = 10;
  private static final int LAYER_BYTES = 300_000;

  private final Host host;
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ManagerProcess manager;

  RegistryDocker28Test(Host host) {
    this.host = host;
  }

  /** What a push says of a layer that it has mounted. */
  String mountedFrom(String repository) {
    return ": Mounted from " + repository;
  }

  @BeforeEach
  void start() throws Exception {
    new Command(
            host.inNetwork(List.of("busybox", "ip", "link", "set", "lo", "up")), host.environment())
        .run()
        .ok();
    manager =
        ManagerProcess.start(host.inNetwork(List.of()), "dir:" + directory.resolve("store"), 0);
  }

  @AfterEach
  void stop() {
    manager.close();
  }

  @Test
  void imageOfTenLayersComesBackWithItsIdAndItsFiles() throws Exception {
    TestImage image = load("team/ten:1");
    String id = id(image.name());
    host.docker("push", image.name()).ok();
    host.docker("rmi", image.name()).ok();

    host.docker("pull", image.name()).ok();

    assertThat(id(image.name())).as("seed %d", seed).isEqualTo(id);
    String container = host.docker("create", image.name()).ok();
    for (int i = 0; i < LAYERS; i++) {
      Path copy = directory.resolve("copy" + i);
      host.docker("cp", container + ":/" + i, copy.toString()).ok();
      assertThat(copy).as("seed %d", seed).hasBinaryContent(image.files().get(i));
    }
    host.docker("rm", container).ok();
  }

  @Test
  void layersThatTheRepositoryHasAreNotSentAgain() throws Exception {
    TestImage image = load("team/again:1");
    host.docker("push", image.name()).ok();

    String again = host.docker("push", image.name()).ok();

    assertThat(again.lines().filter(line -> line.endsWith(": Layer already exists")))
        .hasSizeGreaterThanOrEqualTo(LAYERS);
  }

  @Test
  void layersOfAnotherRepositoryAreMounted() throws Exception {
    TestImage image = load("team/first:1");
    host.docker("push", image.name()).ok();
    String second = manager.host() + "/team/second:1";
    host.docker("tag", image.name(), second).ok();

    String pushed = host.docker("push", second).ok();

    assertThat(pushed.lines().filter(line -> line.endsWith(mountedFrom("team/first"))))
        .hasSizeGreaterThanOrEqualTo(LAYERS);
  }

  private TestImage load(String name) throws Exception {
    TestImage image =
        TestImage.make(directory, random, manager.host() + "/" + name, LAYERS, LAYER_BYTES);
    host.docker("load", "--input", image.archive().toString()).ok();
    return image;
  }

  private String id(String name) throws Exception {
    return host.docker("image", "inspect", "--format", "{{.Id}}", name).ok();
  }
}
