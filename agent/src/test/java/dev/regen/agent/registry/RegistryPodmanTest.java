package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code podman push}, {@code podman pull} and {@code podman manifest push}. */
@Tag("engine")
final class RegistryPodmanTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @Test
  void imageOfTenLayersComesBackWithItsIdAndItsFiles() throws Exception {
    try (TestManager manager = TestManager.open(directory.resolve("store"));
        Podman podman = new Podman(directory.resolve("podman"))) {
      String name = manager.host() + "/team/ten:1";
      TestImage image = TestImage.make(directory, random, name, 10, 100_000);
      podman.run("load", "--input", image.archive().toString()).ok();
      podman.run("push", "--tls-verify=false", name).ok();
      podman.run("rmi", name).ok();

      String id = podman.run("pull", "--tls-verify=false", name).last();

      assertThat("sha256:" + id).as("seed %d", seed).isEqualTo(image.id());
      Path tree = Path.of(podman.run("image", "mount", name).last());
      try {
        for (int i = 0; i < image.files().size(); i++) {
          assertThat(Files.readAllBytes(tree.resolve(Integer.toString(i))))
              .isEqualTo(image.files().get(i));
        }
      } finally {
        podman.run("image", "unmount", "--all", "--force");
      }
    }
  }

  @Test
  void listOfManifestsIsPushedWhole() throws Exception {
    try (TestManager manager = TestManager.open(directory.resolve("store"));
        Podman podman = new Podman(directory.resolve("podman"))) {
      String name = manager.host() + "/team/list:1";
      podman.run("manifest", "create", name).ok();
      for (String tag : List.of("amd64", "arm64")) {
        TestImage image = TestImage.make(directory, random, "localhost/" + tag + ":1", 1, 100_000);
        podman.run("load", "--input", image.archive().toString()).ok();
        podman
            .run("manifest", "add", "--arch=" + tag, name, "containers-storage:" + image.name())
            .ok();
      }

      podman.run("manifest", "push", "--all", "--tls-verify=false", name, "docker://" + name).ok();

      String raw =
          Program.plain()
              .run("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + name)
              .ok();
      assertThat(JsonObject.parse(raw).objects("manifests")).hasSize(2);
    }
  }
}
