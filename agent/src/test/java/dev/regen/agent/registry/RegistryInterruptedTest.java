package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients and managers that are killed while 200 MB are on their way. */
@Tag("engine")
final class RegistryInterruptedTest {
  private static final long BYTES = 200_000_000;
  private static final long SEEN_BYTES = 30_000_000;
  private static final long FIRST_BYTES = 50_000_000;
  private static final String SLOWLY = "60M";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path store;

  @SuppressWarnings("NullAway.Init")
  private LargeImage image;

  private final long seed = System.nanoTime();

  @BeforeEach
  void make() throws Exception {
    store = directory.resolve("store");
    image = LargeImage.make(directory.resolve("layout"), new Random(seed), BYTES);
  }

  @Test
  void killedCopyIsDoneFromTheStart() throws Exception {
    try (TestManager manager = TestManager.open(store)) {
      String name = "docker://" + manager.host() + "/big/copy:1";
      Process first =
          Program.plain()
              .start(
                  directory.resolve("first.txt"),
                  "skopeo",
                  "copy",
                  "--dest-tls-verify=false",
                  image.source(),
                  name);
      awaitStored(first);
      kill(first);

      Program.plain().run("skopeo", "copy", "--dest-tls-verify=false", image.source(), name).ok();

      assertComesBackWhole(name);
    }
  }

  @Test
  void killedUploadIsResumedWhereItEnded() throws Exception {
    try (TestManager manager = TestManager.open(store)) {
      CurlUpload upload = CurlUpload.begin(directory, manager.host(), "big/curl");
      Process first = upload.patchSlowly(image.layer(), 0, size(), SLOWLY);
      awaitStored(first);
      kill(first);
      long stored = awaitStored(upload, 1);
      assertThat(stored).isBetween(SEEN_BYTES / 2, size() - 1);

      assertThat(upload.patch(image.layer(), stored, size() - stored)).contains("202 Accepted");

      assertThat(upload.finish(image.digest().toString())).contains("201 Created");
      assertThat(served(manager.host(), "big/curl"))
          .as("seed %d", seed)
          .isEqualTo(image.digest().hex());
    }
  }

  @Test
  void uploadGoesOnWithTheManagerThatComesAfterAKilledOne() throws Exception {
    ManagerProcess manager = ManagerProcess.start(store);
    try {
      CurlUpload before = CurlUpload.begin(directory, manager.host(), "big/before");
      before.patch(image.layer(), 0, size());
      assertThat(before.finish(image.digest().toString())).contains("201 Created");
      CurlUpload upload = CurlUpload.begin(directory, manager.host(), "big/curl");
      upload.patch(image.layer(), 0, FIRST_BYTES);
      Process second = upload.patchSlowly(image.layer(), FIRST_BYTES, size() - FIRST_BYTES, SLOWLY);
      Thread.sleep(1_000);

      manager = manager.killAndStart(store);

      assertThat(second.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(served(manager.host(), "big/before")).isEqualTo(image.digest().hex());
      long stored = upload.stored();
      assertThat(stored).isBetween(FIRST_BYTES, size() - 1);
      assertThat(upload.patch(image.layer(), stored, size() - stored)).contains("202 Accepted");
      assertThat(upload.finish(image.digest().toString())).contains("201 Created");
      assertThat(served(manager.host(), "big/curl"))
          .as("seed %d", seed)
          .isEqualTo(image.digest().hex());
    } finally {
      manager.close();
    }
  }

  private long size() throws IOException {
    return Files.size(image.layer());
  }

  /** The SHA-256 of what a GET of the layer gives. */
  private String served(String host, String repository) throws Exception {
    String url = "http://" + host + "/v2/" + repository + "/blobs/" + image.digest();
    return Program.plain()
        .run("sh", "-c", "curl -sSf $0 | sha256sum", url)
        .ok()
        .replaceFirst(" .*", "");
  }

  private void assertComesBackWhole(String name) throws Exception {
    Path back = directory.resolve("back");
    Program.plain()
        .run("skopeo", "copy", "--src-tls-verify=false", name, "oci:" + back + ":1")
        .ok();
    assertThat(LargeImage.blobs(back))
        .as("seed %d", seed)
        .isEqualTo(LargeImage.blobs(image.layout()));
  }

  /** Waits until the store holds some of what a process sends, which still runs then. */
  private void awaitStored(Process process) throws Exception {
    long begin = System.nanoTime();
    while (bytes(store) < SEEN_BYTES) {
      assertThat(process.isAlive()).as("it still sends").isTrue();
      assertThat(System.nanoTime() - begin).isLessThan(LIMIT.toNanos());
      Thread.sleep(5);
    }
    assertThat(process.isAlive()).as("it still sends").isTrue();
  }

  /** Until the manager has noticed that the client is gone. */
  private static long awaitStored(CurlUpload upload, long least) throws Exception {
    long begin = System.nanoTime();
    while (upload.stored() < least && System.nanoTime() - begin < LIMIT.toNanos()) {
      Thread.sleep(50);
    }
    return upload.stored();
  }

  /**
   * Kills a client, and then what feeds it: the other way round it could still see the end of its
   * input and end the request as if that were all, which is an error and not an interruption.
   */
  private static void kill(Process process) throws Exception {
    List<ProcessHandle> all = process.descendants().toList();
    all.stream().filter(RegistryInterruptedTest::isClient).forEach(RegistryInterruptedTest::end);
    all.forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
  }

  private static boolean isClient(ProcessHandle process) {
    return process.info().command().orElse("").endsWith("/curl");
  }

  private static void end(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  private static long bytes(Path tree) {
    try (Stream<Path> files = Files.walk(tree)) {
      return files.filter(Files::isRegularFile).mapToLong(RegistryInterruptedTest::length).sum();
    } catch (UncheckedIOException | IOException e) {
      return 0; // Something was renamed meanwhile.
    }
  }

  private static long length(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
