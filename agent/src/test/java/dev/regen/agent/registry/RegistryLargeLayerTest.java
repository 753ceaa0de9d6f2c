package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A layer of 5 GiB: the client is answered soon after its last byte, from bounded memory. */
@Tag("engine")
@Tag("long")
final class RegistryLargeLayerTest {
  private static final long BYTES = 5L << 30;
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);
  private static final long MEMORY_KIBIBYTES_MAX = 512 << 10;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final long seed = System.nanoTime();

  @Test
  void layerGoesThereAndBack() throws Exception {
    LargeImage image = LargeImage.make(directory.resolve("layout"), new Random(seed), BYTES);
    String digest = image.digest().toString();
    try (ManagerProcess manager = ManagerProcess.start(directory.resolve("store"))) {
      CurlUpload upload = CurlUpload.begin(directory, manager.host(), "big/curl");
      upload.patch(image.layer(), 0, Files.size(image.layer()));

      long sent = System.nanoTime();
      assertThat(upload.finish(digest)).contains("201 Created");
      assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(ANSWER_LIMIT);

      String url = "http://" + manager.host() + "/v2/big/curl/blobs/" + digest;
      String got = Program.plain().run("sh", "-c", "curl -sSf $0 | sha256sum", url).ok();
      assertThat(got).as("seed %d", seed).startsWith(image.digest().hex());
      skopeo(image.source(), "docker://" + manager.host() + "/big/skopeo:1").ok();
      Path back = directory.resolve("back");
      skopeo("docker://" + manager.host() + "/big/skopeo:1", "oci:" + back + ":1").ok();
      assertThat(LargeImage.blobs(back)).isEqualTo(LargeImage.blobs(image.layout()));
      assertThat(manager.peakKibibytes()).isLessThanOrEqualTo(MEMORY_KIBIBYTES_MAX);
    }
  }

  private static Program.Ran skopeo(String from, String to) throws Exception {
    List<String> words =
        List.of("skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to);
    return Program.plain().run(words.toArray(String[]::new));
  }
}
