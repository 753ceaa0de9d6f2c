package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ctr images push} and {@code pull}: containerd's own client, between two containerds. */
@Tag("engine")
final class RegistryContainerdTest {
  private static final int STARTS_SECONDS = 30;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();

  @Test
  void imageOfTenLayersComesToAnotherContainerd() throws Exception {
    try (TestManager manager = TestManager.open(directory.resolve("store"));
        Containerd first = Containerd.start(directory.resolve("first"));
        Containerd second = Containerd.start(directory.resolve("second"))) {
      String name = manager.host() + "/team/ctr:1";
      TestImage image = TestImage.make(directory, new Random(seed), name, 10, 100_000);
      first.ctr("images", "import", "--no-unpack", image.archive().toString()).ok();

      first.ctr("images", "push", "--plain-http", name).ok();
      second.ctr("images", "pull", "--plain-http", "--snapshotter=native", name).ok();

      assertThat(second.digest(name)).as("seed %d", seed).isEqualTo(first.digest(name));
      String checked = second.ctr("images", "check", "--snapshotter=native").ok();
      assertThat(checked).contains("complete (11/11)");
    }
  }

  /** A containerd with a directory of its own. */
  private record Containerd(Path socket, Process process) implements AutoCloseable {
    static Containerd start(Path directory) throws Exception {
      Files.createDirectories(directory);
      Path socket = directory.resolve("socket");
      Path config =
          Files.writeString(
              directory.resolve("config.toml"),
              "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n");
      Process process =
          Program.plain()
              .start(
                  directory.resolve("log.txt"),
                  "containerd",
                  "--config=" + config,
                  "--root=" + directory.resolve("root"),
                  "--state=" + directory.resolve("state"),
                  "--address=" + socket);
      Containerd containerd = new Containerd(socket, process);
      long begin = System.nanoTime();
      while (containerd.ctr("version").code() != 0) {
        assertThat(System.nanoTime() - begin).isLessThan(STARTS_SECONDS * 1_000_000_000L);
        Thread.sleep(100);
      }
      return containerd;
    }

    Program.Ran ctr(String... words) throws Exception {
      List<String> all = new ArrayList<>(List.of("ctr", "--address=" + socket));
      all.addAll(List.of(words));
      return Program.plain().run(all.toArray(String[]::new));
    }

    String digest(String name) throws Exception {
      return ctr("images", "list", "name==" + name).last().split("\\s+", -1)[2];
    }

    @Override
    public void close() {
      process.destroy();
      process.onExit().orTimeout(STARTS_SECONDS, TimeUnit.SECONDS).join();
    }
  }
}
