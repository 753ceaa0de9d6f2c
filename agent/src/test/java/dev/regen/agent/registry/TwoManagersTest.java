package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static dev.regen.agent.registry.RegistryClient.NOTHING;
import static dev.regen.agent.registry.RegistryClient.bytes;
import static dev.regen.agent.registry.RegistryClient.sha256;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageServer;
import dev.regen.agent.tcp.Listening;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two managers of one store, whose clients turn to either of them at any time. */
final class TwoManagersTest {
  private static final long SEED = 20260719;
  private static final int WRITERS = 24;
  private static final int IMAGES = 6;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private StorageServer storage;

  private final List<ServedRegistry> managers = new ArrayList<>();

  @BeforeEach
  void start() throws IOException {
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    storage =
        new StorageServer(
            new StorageOptions(
                new Listening(anywhere, null, null, null),
                directory.resolve("store"),
                Long.MAX_VALUE,
                null));
    Path rules =
        Files.writeString(
            directory.resolve("rules.json"),
            "{\"repositories\":[{\"match\":[\"**\"],\"immutableTags\":[\"v*\"]}]}");
    for (int i = 0; i < 2; i++) {
      managers.add(
          ServedRegistry.over(storage.uri().toString(), null, rules, InstantSource.system()));
    }
  }

  @AfterEach
  void stop() throws IOException {
    threads.shutdownNow();
    for (ServedRegistry manager : managers) {
      manager.close();
    }
    storage.close();
  }

  @Test
  void anUploadGoesFromOneToTheOtherAndBack() throws Exception {
    byte[] blob = bytes(SEED, 900_000);
    String upload = client(0).begin("a");
    for (int i = 0; i < 9; i++) {
      int from = i * 100_000;
      String range = from + "-" + (from + 99_999);
      byte[] piece = Arrays.copyOfRange(blob, from, from + 100_000);
      client(i).patch(upload, piece, "Content-Range", range).is(202);
      client(i + 1).patch(upload, piece, "Content-Range", range).is(416, "RANGE_INVALID");
      assertThat(client(i + 1).get(upload).is(204).header("Range"))
          .isEqualTo("0-" + (from + 99_999));
    }

    Answer made = client(1).put(upload + "?digest=" + sha256(blob), NOTHING).is(201);

    assertThat(client(0).get(made.location()).is(200).body()).isEqualTo(blob);
    client(0).get(upload).is(404, "BLOB_UPLOAD_UNKNOWN");
  }

  @Test
  void onlyOneOfThoseThatSendTheSamePieceIsTaken() throws Exception {
    byte[] blob = bytes(SEED, 100_000);
    String upload = client(0).begin("a");

    List<Answer> answers = together(i -> client(i).patch(upload, blob, "Content-Range", "0-99999"));

    assertThat(answers).filteredOn(answer -> answer.status() == 202).hasSize(1);
    assertThat(answers)
        .filteredOn(answer -> answer.status() != 202)
        .allSatisfy(answer -> assertThat(answer.status()).isIn(409, 416));
    client(1).put(upload + "?digest=" + sha256(blob), NOTHING).is(201);
  }

  @Test
  void aTagThatManySetMeansWhatOneOfThemSet() throws Exception {
    List<byte[]> images = images("a");
    Random random = new Random(SEED);
    int[] which = random.ints(WRITERS, 0, IMAGES).toArray();
    for (int round = 0; round < 3; round++) {
      List<Answer> answers = together(i -> put(i, "a", "latest", images.get(which[i])));
      assertThat(answers)
          .as("seed %s", SEED)
          .allSatisfy(answer -> assertThat(answer.status()).as("%s", answer).isEqualTo(201));

      String first = client(0).head("/v2/a/manifests/latest").is(200).digest();
      assertThat(images.stream().map(RegistryClient::sha256)).as("seed %s", SEED).contains(first);
      assertThat(client(1).head("/v2/a/manifests/latest").is(200).digest())
          .as("seed %s", SEED)
          .isEqualTo(first);
      for (int i = 0; i < 2; i++) {
        assertThat(client(i).get("/v2/a/tags/list").json().strings("tags"))
            .containsExactly("latest");
      }
    }
  }

  @Test
  void anImmutableTagIsSetByOneAlone() throws Exception {
    List<byte[]> images = images("a");
    Random random = new Random(SEED);
    for (String tag : List.of("v1", "v2", "v3")) {
      int[] which = random.ints(WRITERS, 0, IMAGES).toArray();

      List<Answer> answers = together(i -> put(i, "a", tag, images.get(which[i])));

      String winner = client(0).head("/v2/a/manifests/" + tag).is(200).digest();
      assertThat(client(1).head("/v2/a/manifests/" + tag).digest()).isEqualTo(winner);
      for (int i = 0; i < WRITERS; i++) {
        if (sha256(images.get(which[i])).equals(winner)) {
          assertThat(answers.get(i).status()).as("seed %s", SEED).isEqualTo(201);
        } else {
          answers.get(i).is(403, "DENIED");
        }
      }
    }
  }

  @Test
  void whatOneTakesTheOtherGives() throws Exception {
    String digest = client(0).image("a/b", "latest", "one");
    assertThat(client(1).head("/v2/a/b/manifests/latest").is(200).digest()).isEqualTo(digest);
    assertThat(client(1).get("/v2/_catalog").json().strings("repositories")).contains("a/b");

    client(1).delete("/v2/a/b/manifests/" + digest).is(202);

    client(0).get("/v2/a/b/manifests/latest").is(404, "MANIFEST_UNKNOWN");
    client(0).get("/v2/a/b/manifests/" + digest).is(404, "MANIFEST_UNKNOWN");
    assertThat(client(0).get("/v2/a/b/tags/list").is(200).json().strings("tags")).isEmpty();
  }

  private interface Work {
    Answer with(int writer) throws Exception;
  }

  /** Many at one moment, every other one at the other manager. */
  private List<Answer> together(Work work) throws Exception {
    CountDownLatch begin = new CountDownLatch(1);
    List<Future<Answer>> all = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      int writer = i;
      Callable<Answer> one =
          () -> {
            begin.await();
            return work.with(writer);
          };
      all.add(threads.submit(one));
    }
    begin.countDown();
    List<Answer> answers = new ArrayList<>();
    for (Future<Answer> one : all) {
      answers.add(one.get());
    }
    return answers;
  }

  private List<byte[]> images(String repository) throws Exception {
    List<byte[]> images = new ArrayList<>();
    for (int i = 0; i < IMAGES; i++) {
      images.add(client(i).imageManifest(repository, "image " + i).bytes());
    }
    return images;
  }

  private Answer put(int i, String repository, String tag, byte[] manifest) throws Exception {
    return client(i)
        .put("/v2/" + repository + "/manifests/" + tag, manifest, "Content-Type", MANIFEST);
  }

  private RegistryClient client(int i) {
    return managers.get(i % 2).client();
  }
}
