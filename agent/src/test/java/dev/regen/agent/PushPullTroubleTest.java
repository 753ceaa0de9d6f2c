package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.agent.storage.SlowProxy;
import dev.regen.agent.storage.StorageProcess;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Transfers that are interrupted in the middle, and servers that are full, die and lie. */
final class PushPullTroubleTest extends TwoHosts {
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

  @Test
  void aPushWhoseServerIsKilledGoesOnAndSendsOnlyTheRest() throws IOException {
    CompletableFuture<Result> push = pushSlowly(8);
    await(() -> StorageProcess.chunkFiles(stored).size() > FILES / 3);
    server.kill();
    int before = StorageProcess.chunkFiles(stored).size();
    server = StorageProcess.start(stored, server.uri().getPort());

    JsonObject pushed = done(push.join());

    assertThat(before).isLessThan(FILES);
    assertThat(passedBytes()).as("the rest, and what was on its way").isLessThan(BYTES * 2L);
    assertThat(pushed.number("totalChunks")).isGreaterThanOrEqualTo(FILES);
    assertPulledWhole();
  }

  @Test
  void aPushWhoseServerStaysAwaySaysHowToGoOn() throws IOException {
    CompletableFuture<Result> push = pushSlowly(8);
    await(() -> StorageProcess.chunkFiles(stored).size() > 3);
    server.kill();

    Result failed = push.join();

    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .contains("the same command again goes on with the rest")
        .doesNotContain("Exception");
  }

  @Test
  void aCancelledPushIsToBeSeenAsUploadingAndTheNextSendsOnlyTheRest() throws Exception {
    CompletableFuture<Result> push = pushSlowly(15);
    await(() -> StorageProcess.chunkFiles(stored).size() > FILES / 2);

    assertThat(other("ls", "desk", "--store", server.uri().toString()).out()).contains("uploading");
    Result early = other("pull", "desk", "--store", server.uri().toString());
    assertThat(early.code()).as(early.err()).isEqualTo(4);
    assertThat(early.err()).contains("is uploading");
    long began = System.nanoTime();
    cancelTheOnlyOneThatRuns();
    Result cancelled = push.join();
    assertThat((System.nanoTime() - began) / 1e9).isLessThan(5);
    assertThat(cancelled.code()).isEqualTo(1);
    assertThat(cancelled.err()).contains("cancelled; what was sent stays in the store");

    JsonObject pushed = done(push(server.uri()));
    // Of the files that were seen in the store one may be part of the manifest.
    assertThat(pushed.number("chunks"))
        .isLessThanOrEqualTo(pushed.number("totalChunks") - FILES / 2);
    assertThat(pushed.string("message")).contains(" sent now, the others were there already");
    assertPulledWhole();
  }

  @Test
  void aPullWhoseAgentIsKilledFetchesOnlyTheRest() throws Exception {
    done(push(server.uri()));
    stopOther();
    Process agentB = startOtherAsProcess();
    String way = slowly(12).toString();
    CompletableFuture<Result> pull = meanwhile(() -> other("pull", "desk", "--store", way));
    await(() -> StorageProcess.chunkFiles(homeB()).size() > FILES / 2);
    kill(agentB);
    assertThat(pull.join().code()).isNotZero();

    startOther();
    assertThat(array(other("ls", "--json"))).isEmpty();
    JsonObject pulled = done(other("pull", "desk", "--store", server.uri().toString(), "--json"));
    assertThat(pulled.number("chunks")).isLessThan(pulled.number("totalChunks") * 2 / 3);
    assertSameLayer("desk");
  }

  @Test
  void aSnapshotThatIsRemovedWhileItIsPushedEndsThePush() throws IOException {
    CompletableFuture<Result> push = pushSlowly(10);
    await(() -> StorageProcess.chunkFiles(stored).size() > 3);
    assertThat(regen("rm", "desk@latest").code()).isZero();

    Result ended = push.join();

    assertThat(ended.code()).as(ended.err()).isEqualTo(4);
    assertThat(ended.err()).contains("left queue desk");
    assertThat(other("ls", "--store", server.uri().toString(), "--json").out())
        .isEqualToIgnoringWhitespace("[]");
  }

  @Test
  void aWrongChunkIsRefusedAndNothingIsAppended() throws IOException {
    done(push(server.uri()));
    Path file = StorageProcess.chunkFiles(stored).get(7);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);

    Result refused = other("pull", "desk", "--store", server.uri().toString());

    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains(file.getFileName().toString(), "other bytes");
    assertThat(array(other("ls", "--json"))).isEmpty();
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertPulledWhole();
  }

  @Test
  void aManifestOrRecordThatWasChangedIsRefused() throws IOException {
    done(push(server.uri()));
    Path record;
    try (var files = Files.list(stored.resolve("records"))) {
      record = files.findFirst().orElseThrow();
    }
    String text = Files.readString(record);
    Files.writeString(record, text.replaceFirst("\"keep\":[0-9]+", "\"keep\":7"));
    Result none = other("pull", "desk", "--store", server.uri().toString());
    assertThat(none.code()).as(none.err()).isEqualTo(3);

    Files.writeString(record, text.replace("desk", "shed"));
    assertThat(other("pull", "desk", "--store", server.uri().toString()).code()).isEqualTo(3);
    assertThat(array(other("ls", "--json"))).isEmpty();
  }

  @Test
  void aFullServerIsSaidAndThePushGoesOnWhenThereIsRoom() throws Exception {
    Path small = Files.createDirectory(directory.resolve("small"));
    assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small.toString()));
    try (StorageProcess full = StorageProcess.start(small.resolve("store"))) {
      Result refused = push(full.uri());
      assertThat(refused.code()).as(refused.err()).isEqualTo(4);
      assertThat(refused.err())
          .contains("507", "full", "'uploading'", "goes on with the rest", "storage collect");
      int there = StorageProcess.chunkCount(small.resolve("store"));
      assertThat(there).isGreaterThan(5);

      assertThat(run("mount", "-o", "remount,size=200m", small.toString())).isTrue();
      JsonObject pushed = done(push(full.uri()));
      assertThat(pushed.number("chunks")).isEqualTo(pushed.number("totalChunks") - there + 1);
      assertThat(other("pull", "desk", "--store", full.uri().toString()).code()).isZero();
      assertSameLayer("desk");
    } finally {
      run("umount", "-l", small.toString());
    }
  }

  @Test
  void twoWhoPushOneSnapshotAtOnceBothSucceed() throws IOException {
    CompletableFuture<Result> one = pushSlowly(5);
    CompletableFuture<Result> other = meanwhile(() -> push(server.uri()));
    done(one.join());
    done(other.join());
    assertThat(array(other("ls", "--store", server.uri().toString(), "--json")))
        .singleElement()
        .satisfies(row -> assertThat(row.string("state")).isEqualTo("complete"));
    assertPulledWhole();
  }

  /** The server, by a way on which the whole takes so long. */
  private URI slowly(int seconds) {
    try {
      slow = new SlowProxy(server.uri(), BYTES / seconds);
      return slow.uri();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private CompletableFuture<Result> pushSlowly(int seconds) {
    URI way = slowly(seconds);
    return meanwhile(() -> push(way));
  }

  private long passedBytes() {
    return slow == null ? 0 : slow.passedBytes();
  }

  private Result push(URI store) {
    return regen("push", "desk", "--store", store.toString(), "--json");
  }

  private void assertPulledWhole() throws IOException {
    done(other("pull", "desk", "--store", server.uri().toString(), "--json"));
    assertSameLayer("desk");
  }

  /** As Ctrl-C does. */
  private void cancelTheOnlyOneThatRuns() throws IOException {
    for (JsonObject job : array(regen("jobs", "--json"))) {
      if (job.string("state").equals("running")) {
        try (var socket =
            java.nio.channels.SocketChannel.open(
                java.net.UnixDomainSocketAddress.of(directory.resolve("run/regen.sock")))) {
          String request =
              "DELETE /v1/jobs/" + job.string("id") + " HTTP/1.1\r\nHost: regen\r\n\r\n";
          socket.write(
              ByteBuffer.wrap(request.getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
          ByteBuffer answer = ByteBuffer.allocate(20);
          socket.read(answer);
          assertThat(new String(answer.array(), java.nio.charset.StandardCharsets.US_ASCII))
              .contains(" 202 ");
        }
      }
    }
  }

  private static boolean run(String... command) throws Exception {
    Process process = new ProcessBuilder(List.of(command)).inheritIO().start();
    return process.waitFor() == 0;
  }
}
