package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ten clients at once. */
@Tag("engine")
final class RegistryTogetherTest {
  private static final int CLIENTS = 10;
  private static final int LAYER_BYTES = 2_000_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @Test
  void eachGetsBackWhatItPushed() throws Exception {
    List<TestImage> images = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      images.add(TestImage.make(directory, random, "it:1", 3, LAYER_BYTES));
    }
    try (TestManager manager = TestManager.open(directory.resolve("store"))) {
      List<String> ids =
          together(i -> pushedAndPulled(images.get(i), manager.host() + "/own/number" + i + ":1"));

      assertThat(ids).as("seed %d", seed).isEqualTo(images.stream().map(TestImage::id).toList());
    }
  }

  /** All of them want to be the first to have a layer there. */
  @Test
  void allPushTheSameImage() throws Exception {
    TestImage image = TestImage.make(directory, random, "it:1", 3, LAYER_BYTES);
    try (TestManager manager = TestManager.open(directory.resolve("store"))) {
      List<String> ids = together(i -> pushedAndPulled(image, manager.host() + "/shared/one:" + i));

      assertThat(ids).as("seed %d", seed).hasSize(CLIENTS).containsOnly(image.id());
    }
  }

  private interface Client {
    String run(int number) throws Exception;
  }

  private static List<String> together(Client client) throws Exception {
    List<Future<String>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
      for (int i = 0; i < CLIENTS; i++) {
        int number = i;
        running.add(threads.submit(() -> client.run(number)));
      }
      List<String> results = new ArrayList<>();
      for (Future<String> future : running) {
        results.add(future.get());
      }
      return results;
    }
  }

  private String pushedAndPulled(TestImage image, String name) throws Exception {
    Path back = directory.resolve("back-" + name.replaceAll("[:/]", "-"));
    Program.plain()
        .run("skopeo", "copy", "--dest-tls-verify=false", image.source(), "docker://" + name)
        .ok();
    Program.plain()
        .run("skopeo", "copy", "--src-tls-verify=false", "docker://" + name, "dir:" + back)
        .ok();
    String manifest = Files.readString(back.resolve("manifest.json"));
    return JsonObject.parse(manifest).object("config").string("digest");
  }
}
