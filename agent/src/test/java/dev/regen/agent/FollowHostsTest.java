package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.SlowProxy;
import dev.regen.agent.storage.StorageProcess;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One agent pushes, the other takes it meanwhile, through storage servers that are processes. */
final class FollowHostsTest extends TwoHosts {
  private static final int FILES = 60;
  private static final int FILE_BYTES = 300_000;
  private static final int BYTES = FILES * FILE_BYTES;

  @SuppressWarnings("NullAway.Init")
  private Path stored;

  @SuppressWarnings("NullAway.Init")
  private StorageProcess server;

  private @Nullable SlowProxy slow;

  @BeforeEach
  void startServer() throws IOException {
    stored = directory.resolve("stored");
    server = StorageProcess.start(stored);
    importFiles("desk", 1, FILES, FILE_BYTES);
  }

  @AfterEach
  void stopServer() throws IOException {
    if (slow != null) {
      slow.close();
    }
    server.close();
  }

  /** Hazard: a snapshot that does not arrive because its tree cannot be made ready before. */
  @Test
  void whereNobodyCanTellWhereTreesLieASnapshotIsFollowedAllTheSame() throws Exception {
    Files.createDirectories(homeB().resolve("stores/no-file"));
    String store = server.uri().toString();
    done(regen("push", "desk", "--store", store, "--json"));

    done(other("pull", "desk", "--store", store, "--follow", "--json"));

    assertSameLayer("desk");
  }

  @Test
  void aRestoreFromAPushThatGoesOnIsReadySoonAfterItAndRefusesAllElseUntilThen() throws Exception {
    Path staging = Files.createDirectories(directory.resolve("b-layers/regen-staging"));
    Files.createDirectories(homeB().resolve("stores"));
    Files.writeString(homeB().resolve("stores/one"), staging.toString());
    String store = server.uri().toString();
    CompletableFuture<Result> restore =
        meanwhile(() -> other("restore", "desk", "--from", store, "--follow"));
    String way = slowly(6);
    CompletableFuture<Result> push = meanwhile(() -> regen("push", "desk", "--store", way));
    await(() -> filesBelow(staging) > FILES / 3);

    assertThat(push.isDone()).as("unpacked while it is pushed").isFalse();
    JsonObject row = array(other("ls", "desk", "--json")).getFirst();
    assertThat(row.string("state")).isEqualTo("uploading");
    String snapshot = "desk@" + row.string("id");
    String look = Files.createDirectories(directory.resolve("look")).toString();
    String file = directory.resolve("layer").toString();
    for (List<String> command :
        List.of(
            List.of("restore", snapshot),
            List.of("restore", "desk"),
            List.of("mount", snapshot, look),
            List.of("encrypt", snapshot),
            List.of("decrypt", snapshot),
            List.of("export", snapshot, "-o", file),
            List.of("export", "desk@latest", "-o", file),
            List.of("rm", snapshot),
            List.of("pin", snapshot),
            List.of("push", snapshot, "--store", store))) {
      Result refused = other(command.toArray(String[]::new));
      assertThat(refused.code()).as("%s: %s", command, refused.err()).isEqualTo(4);
      assertThat(refused.err()).contains("is uploading");
    }
    assertThat(regen("pin", "desk@latest").code()).as("there nothing is held up").isZero();

    assertThat(push.join().code()).isZero();
    long pushed = System.nanoTime();
    Result restored = restore.join();
    assertThat(restored.code()).as(restored.err()).isZero();
    assertThat((System.nanoTime() - pushed) / 1e9).isLessThan(3);
    assertThat(restored.out()).contains("chunks fetched; the next run of queue desk starts from");
    Path hot = staging.resolve("hot-" + row.string("id"));
    assertThat(same(hot, directory.resolve("tree"))).isTrue();
    assertThat(array(other("ls", "desk", "--json")).getFirst().string("state"))
        .isEqualTo("complete");
    assertSameLayer("desk");
  }

  /** Hazard: what was given up stays and is fetched on, or a later pull misses what had come. */
  @Test
  void anUploadThatIsCancelledEndsWhatFetchesItAndCanBeFetchedAnew() throws Exception {
    String store = server.uri().toString();
    String way = slowly(6);
    CompletableFuture<Result> push = meanwhile(() -> regen("push", "desk", "--store", way));
    CompletableFuture<Result> pull =
        meanwhile(() -> other("pull", "desk", "--store", store, "--follow"));
    await(() -> other("ls", "desk", "--json").out().contains("uploading"));
    String id = array(other("ls", "desk", "--json")).getFirst().string("id");

    Process curl =
        new ProcessBuilder(
                "curl",
                "-sf",
                "-X",
                "POST",
                "--unix-socket",
                directory.resolve("b-run/regen.sock").toString(),
                "http://regen/v1/queues/desk/snapshots/" + id + "/cancel")
            .start();

    assertThat(curl.waitFor()).isZero();
    Result cancelled = pull.join();
    assertThat(cancelled.code()).as(cancelled.err()).isEqualTo(1);
    assertThat(cancelled.err()).contains("cancelled");
    assertThat(other("ls", "--json").out()).doesNotContain("desk");
    assertThat(push.join().code()).as("where it is whole nothing is held up").isZero();
    done(other("pull", "desk", "--store", store, "--json"));
    assertSameLayer("desk");
  }

  @Test
  void aFollowerWhoseAgentIsKilledFetchesOnlyTheRestAndThePushGoesOnMeanwhile() throws Exception {
    stopOther();
    Process agentB = startOtherAsProcess();
    CompletableFuture<Result> follow =
        meanwhile(() -> other("pull", "desk", "--follow", "--store", server.uri().toString()));
    String way = slowly(6);
    CompletableFuture<Result> push = meanwhile(() -> regen("push", "desk", "--store", way));
    await(() -> StorageProcess.chunkFiles(homeB()).size() > FILES / 2);
    kill(agentB);
    assertThat(follow.join().code()).isNotZero();

    startOther();
    JsonObject pulled =
        done(other("pull", "desk", "--follow", "--store", server.uri().toString(), "--json"));
    assertThat(pulled.number("chunks")).isLessThan(pulled.number("totalChunks") * 2 / 3);
    assertThat(push.join().code()).isZero();
    assertSameLayer("desk");
    List<JsonObject> jobs = new ArrayList<>(array(other("jobs", "--json")));
    jobs.removeIf(job -> !"pull".equals(job.members().get("kind")));
    JsonObject job = jobs.getLast();
    assertThat(job.number("bytesExpected")).isBetween(1L, BYTES - 1L);
    assertThat(job.number("entriesExpected")).isPositive();
  }

  @Test
  void aStoreThatDiesDoesNotKeepTheOtherFromGettingAll() throws Exception {
    try (StorageProcess second = StorageProcess.start(directory.resolve("second"))) {
      String also = slowly(second, 6);
      CompletableFuture<Result> push =
          meanwhile(
              () -> regen("push", "desk", "--store", server.uri().toString(), "--also", also));
      await(() -> StorageProcess.chunkFiles(directory.resolve("second")).size() > 5);
      second.kill();
      Result result = push.join();

      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err())
          .contains("is pushed", server.uri().toString(), "is not whole in " + also)
          .contains("regen push desk@", "--store " + also);
      done(other("pull", "desk", "--store", server.uri().toString(), "--json"));
      assertSameLayer("desk");
    }
  }

  @Test
  void twoStoresAreFedAtOnceAndAreBothWhole() throws Exception {
    try (StorageProcess second = StorageProcess.start(directory.resolve("second"))) {
      String also = second.uri().toString();
      JsonObject pushed =
          done(regen("push", "desk", "--store", server.uri().toString(), "--also", also, "--json"));
      assertThat(pushed.number("chunks")).isEqualTo(pushed.object("also").number("chunks"));
      assertThat(pushed.string("message")).contains(server.uri().toString(), also);
      server.kill();
      done(other("pull", "desk", "--store", also, "--json"));
      assertSameLayer("desk");
    }
  }

  @Test
  void whatCannotBeFollowedIsWrongUsage() {
    String directoryStore = "dir:" + directory.resolve("d");
    assertThat(other("pull", "desk", "--follow", "--store", directoryStore).code()).isEqualTo(2);
    assertThat(other("restore", "desk", "--follow").code()).isEqualTo(2);
    String store = server.uri().toString();
    assertThat(other("pull", "desk", "--wait", "0", "--store", store).code()).isEqualTo(2);
    Result nobody = other("pull", "desk", "--follow", "--wait", "1", "--store", store);
    assertThat(nobody.code()).isEqualTo(4);
    assertThat(nobody.err()).contains("nobody began to push queue 'desk'");
    assertThat(regen("push", "desk", "--store", store, "--also", store).code()).isEqualTo(2);
  }

  /** The server, by a way on which the whole takes so long. */
  private String slowly(int seconds) {
    return slowly(server, seconds);
  }

  private String slowly(StorageProcess target, int seconds) {
    try {
      slow = new SlowProxy(target.uri(), BYTES / seconds);
      return slow.uri().toString();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static long filesBelow(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).count();
    }
  }

  private static boolean same(Path one, Path other) throws Exception {
    return new ProcessBuilder("diff", "-r", one.toString(), other.toString())
            .inheritIO()
            .start()
            .waitFor()
        == 0;
  }
}
