package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A container that moves to a host that has not its image, and no registry to ask for it. */
@EngineTest
class ImagesTravelEngineTest {
  private static final long SEED = 20261122;

  private final Host here;

  ImagesTravelEngineTest(Host here) {
    this.here = here;
  }

  /** Where the other host's engine runs. */
  Place place() {
    return new Place.Here();
  }

  /** What a pull says of an image of which the engine has all layers. */
  String ofLayersThatAreHere() {
    return "0 of 2 layers fetched";
  }

  @Test
  void theImageComesWithTheQueueAndItsLayersAreStoredOnce() throws Exception {
    image("desk:base", Host.IMAGE, 6 << 20);
    image("desk:small", "desk:base", 1000);
    run(here, "desk:small", "echo one >/root/notes; rm /lower/deleted").ok();
    here.awaitIdle();
    try (Host there = Host.start(place(), "", "");
        StorageProcess server = new StorageProcess(here)) {
      String store = "--store=" + server.url();
      JsonObject base = json(here.regen("push", "desk:base", store, "--json"));
      assertThat(base.number("layersMoved")).isEqualTo(base.number("layers")).isEqualTo(2);
      JsonObject pushed = json(here.regen("push", "desk", store, "--json"));
      assertThat(pushed.object("image").number("layersMoved")).as("%s", pushed).isEqualTo(1);
      assertThat(pushed.object("image").number("bytes")).isLessThan(100_000);
      assertThat(pushed.strings("troubles")).isEmpty();
      assertThat(here.regen("push", "desk", store).ok()).doesNotContain("layers");

      wrongBytesAreNeverLoaded(there, store);
      assertThat(here.regen("push", "desk", store).ok()).contains("1 of 3 layers sent now");
      assertThat(there.regen("pull", "desk", "--follow", store).ok())
          .contains("3 of 3 layers fetched");

      assertThat(inspected(there, "desk:small")).isEqualTo(inspected(here, "desk:small"));
      assertThat(run(there, "desk:small", "cat /root/notes; ls /lower; sha256sum /random-*").ok())
          .isEqualTo("one\nkept\n" + random(here));
      assertThat(there.regen("pull", "desk:base", store).ok()).contains(ofLayersThatAreHere());
      assertThat(inspected(there, "desk:base")).isEqualTo(inspected(here, "desk:base"));

      namesOfOtherImagesStay(there, store);
      aNameThatIsGoneComesBack(there, store);
    }
  }

  /** One chunk of the large layer is damaged in the store. */
  private void wrongBytesAreNeverLoaded(Host there, String store) throws Exception {
    try (Stream<Path> files = Files.walk(here.shared().resolve("store"))) {
      for (Path file : files.filter(ImagesTravelEngineTest::isLargeChunk).limit(1).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
      }
    }
    Command.Result pull = there.regen("pull", "desk:base", store);
    assertThat(pull.code()).as("%s", pull).isEqualTo(1);
    assertThat(there.docker("images", "-a", "-q", "--no-trunc").out().lines()).hasSize(1);
  }

  private static boolean isLargeChunk(Path file) {
    return file.getFileName().toString().matches("[0-9a-f]{64}")
        && file.toFile().length() > 250_000;
  }

  /** The engine has the image of the queue, under another name. */
  private void aNameThatIsGoneComesBack(Host there, String store) throws Exception {
    String image = inspected(there, "desk:small");
    there.docker("tag", "desk:small", "desk:renamed").ok();
    there.docker("rmi", "desk:small").ok();

    there.regen("pull", "desk", store).ok();

    there.docker("rmi", "desk:renamed").ok();
    assertThat(inspected(there, "desk:small")).isEqualTo(image);
  }

  /** Both hosts have an image of this name, each its own. */
  private void namesOfOtherImagesStay(Host there, String store) throws Exception {
    String before = inspected(there, Host.IMAGE);
    assertThat(here.regen("push", "--image", Host.IMAGE, store).ok())
        .contains("0 of 1 layer sent now");
    assertThat(there.regen("pull", "--image", Host.IMAGE, store).ok())
        .contains("is another image")
        .contains("docker tag");
    assertThat(inspected(there, Host.IMAGE)).isEqualTo(before);
    assertThat(inspected(there, here.docker("inspect", "-f", "{{.Id}}", Host.IMAGE).ok()))
        .contains(here.docker("inspect", "-f", "{{json .RootFS.Layers}}", Host.IMAGE).ok());
    assertThat(here.regen("ls", store).ok())
        .contains("box:latest")
        .contains("desk:base")
        .contains("desk:small");
    assertThat(there.regen("pull", "desk:other", store).code()).isEqualTo(3);
  }

  private void image(String name, String from, int bytes) throws Exception {
    Path file = here.shared().resolve("random-" + bytes);
    byte[] random = new byte[bytes];
    new Random(SEED + bytes).nextBytes(random);
    Files.write(file, random);
    here.docker("create", "--name=making", "--network=none", from, "true").ok();
    here.docker("cp", file.toString(), "making:/" + file.getFileName()).ok();
    here.docker("commit", "making", name).ok();
    here.docker("rm", "making").ok();
  }

  private static Command.Result run(Host host, String image, String script) throws Exception {
    return host.docker(
        "run",
        "--runtime=regen",
        "--rm",
        "--network=none",
        "--name=desk",
        image,
        "sh",
        "-c",
        script);
  }

  private static String random(Host host) throws Exception {
    return host.docker(
            "run", "--rm", "--network=none", "desk:small", "sh", "-c", "sha256sum /random-*")
        .ok();
  }

  private static String inspected(Host host, String image)
      throws IOException, InterruptedException {
    return host.docker(
            "image",
            "inspect",
            "-f",
            "{{.Id}} {{json .RootFS.Layers}} {{json .Config.Cmd}} {{json .RepoTags}}",
            image)
        .ok();
  }

  private static JsonObject json(Command.Result result) throws IOException {
    return JsonObject.parse(List.of(result.ok().split("\n", -1)).getLast());
  }
}
