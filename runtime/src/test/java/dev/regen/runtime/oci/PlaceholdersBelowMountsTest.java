package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every engine mounts {@code /sys/fs/cgroup} below {@code /sys}, and images have no {@code
 * /sys/fs}: were it taken for a mount point in the upper, no layer could be frozen in part.
 */
final class PlaceholdersBelowMountsTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  @Test
  void mountPointsThatAreMadeInsideOtherMountsAreNoneOfTheUpper() throws IOException {
    Path root = Files.createDirectories(directory.resolve("root"));
    Files.createDirectories(root.resolve("sys"));
    List<JsonObject> mounts =
        Stream.of("/proc", "/dev", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/a/b", "/a/b2")
            .map(at -> new JsonObject().with("destination", at).with("type", "tmpfs"))
            .toList();
    JsonObject config =
        new JsonObject()
            .with("root", new JsonObject().with("path", root.toString()))
            .with("mounts", mounts);
    Files.write(directory.resolve("config.json"), config.bytes());

    List<String> found = Placeholders.find(Bundle.read(directory), List.of());

    assertThat(found).containsExactly("/proc", "/dev", "/a", "/a/b", "/a/b2");
  }
}
