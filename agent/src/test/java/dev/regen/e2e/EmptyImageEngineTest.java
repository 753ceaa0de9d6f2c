package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Images that hold nothing: of one empty layer, and of none at all. */
@EngineTest
class EmptyImageEngineTest {
  private final Host host;

  EmptyImageEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void imageOfOneEmptyLayer() throws IOException, InterruptedException {
    Path tar = host.shared().resolve("empty.tar");
    Command.run(Map.of(), "tar", "-cf", tar.toString(), "-T", "/dev/null").ok();
    host.docker("import", tar.toString(), "empty").ok();

    remembers("empty");
  }

  @Test
  void imageWithoutLayers() throws IOException, InterruptedException {
    Path context = Files.createDirectories(host.shared().resolve("nothing"));
    Files.writeString(context.resolve("Dockerfile"), "FROM scratch\nENV NOTHING=1\n");
    Map<String, String> classic = Map.of("DOCKER_BUILDKIT", "0");
    new Command(host.dockerWords("build", "-t", "nothing", context.toString()), classic).run().ok();
    assertThat(host.docker("inspect", "-f", "{{len .RootFS.Layers}}", "nothing").ok())
        .isEqualTo("0");

    remembers("nothing");
  }

  private void remembers(String image) throws IOException, InterruptedException {
    Path busybox = host.shared().resolve("busybox");
    if (!Files.exists(busybox)) {
      Files.copy(Path.of("/bin/busybox"), busybox);
      assertThat(busybox.toFile().setExecutable(true, false)).isTrue();
    }
    String[] run = {
      "run",
      "--runtime=regen",
      "--rm",
      "--network=none",
      "--name=" + image,
      "-v",
      busybox + ":/busybox:ro",
      image,
      "/busybox",
      "sh",
      "-c",
      "/busybox cat /n; echo x >>/n"
    };
    host.docker(run).ok();
    host.docker(run).ok();

    assertThat(host.docker(run).ok()).as(host.regen("events").out()).isEqualTo("x\nx");
    assertThat(host.snapshots(image)).hasSize(3);
  }
}
