package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A container that moves: two hosts, each with its engine and agent, and a storage server. */
@EngineTest
final class PushPullEngineTest {
  private final Host here;

  PushPullEngineTest(Host here) {
    this.here = here;
  }

  @Test
  void aContainerGoesOnOnAnotherHostThatFollowsThePushAndComesBack() throws Exception {
    here.desk(
            "desk",
            "echo one >/root/notes; rm /lower/deleted; ln /root/notes /root/same;"
                + " mkdir /var; dd if=/dev/urandom of=/var/data bs=1M count=5; chown 7:7 /var/data")
        .ok();
    here.awaitIdle();
    String data = here.desk("desk", "sha256sum /var/data").ok();
    here.awaitIdle();
    try (Host there = Host.start();
        StorageProcess server = new StorageProcess(here)) {
      Path image = here.shared().resolve("image.tar");
      here.docker("save", "-o", image.toString(), Host.IMAGE).ok();
      there.docker("load", "-i", image.toString()).ok();

      CompletableFuture<String> restore =
          meanwhile(() -> there.regen("restore", "desk", "--from", server.url(), "--follow").ok());
      assertThat(here.regen("push", "desk", "--store", server.url()).ok()).contains("is pushed");
      assertThat(restore.get(60, TimeUnit.SECONDS))
          .contains("the next run of queue desk starts from");

      assertThat(
              there
                  .desk(
                      "desk",
                      "cat /root/notes; ls /lower; stat -c '%h %u' /root/same /var/data;"
                          + " sha256sum /var/data; echo two >>/root/notes")
                  .ok())
          .isEqualTo("one\nkept\n2 0\n1 7\n" + data);
      assertThat(there.snapshots("desk")).hasSize(2);

      here.docker(
              "run",
              "-d",
              "--rm",
              "--runtime=regen",
              "--network=none",
              "--name=desk",
              Host.IMAGE,
              "sleep",
              "100")
          .ok();
      JsonObject back = pushed(there, server);
      assertThat(back.number("bytes")).isLessThan(back.number("totalBytes") / 10);
      assertThat(here.regen("pull", "desk", "--store", server.url()).ok())
          .contains("container desk is running");
      here.docker("rm", "-f", "desk").ok();
      here.awaitIdle();
      here.regen("restore", "desk", "--at", back.string("snapshot")).ok();
      assertThat(here.desk("desk", "cat /root/same; sha256sum /var/data").ok())
          .isEqualTo("one\ntwo\n" + data);
      here.awaitIdle();
      itGoesOnWithFewChanges(here, there, server, "three", data);
      itGoesOnWithFewChanges(there, here, server, "four", data);
    }
  }

  /** The host that has it already makes the next tree of the one before. */
  private static void itGoesOnWithFewChanges(
      Host from, Host to, StorageProcess server, String word, String data) throws Exception {
    from.desk("desk", "echo " + word + " >>/root/notes").ok();
    from.awaitIdle();
    to.awaitIdle();
    Object inode = inode(hot(to));
    JsonObject pushed = pushed(from, server);

    to.regen("pull", "desk", "--follow", "--store", server.url()).ok();

    assertThat(hot(to).getFileName().toString()).isEqualTo("hot-" + pushed.string("snapshot"));
    assertThat(inode(hot(to))).as("moved, not written again").isEqualTo(inode);
    assertThat(
            to.desk("desk", "tail -n 1 /root/same; stat -c '%h' /root/same; sha256sum /var/data")
                .ok())
        .isEqualTo(word + "\n2\n" + data);
    to.awaitIdle();
  }

  private static Object inode(Path tree) throws IOException {
    return Files.getAttribute(tree.resolve("var/data"), "unix:ino");
  }

  /** Of the newest snapshot. */
  private static Path hot(Host host) throws Exception {
    Path staging = host.dataRoot().resolve("regen-staging");
    return staging.resolve("hot-" + host.snapshots("desk").getLast().string("id"));
  }

  /** Its archive takes longer than the start of the command. */
  @Test
  void aPushSendsTheRunThatHasJustEnded() throws Exception {
    here.desk("quick", "echo one >/root/notes").ok();
    here.awaitIdle();
    here.desk("quick", "dd if=/dev/urandom of=/root/data bs=1M count=200").ok();

    String store = "dir:" + here.shared().resolve("store");
    JsonObject pushed =
        JsonObject.parse(here.regen("push", "quick", "--store", store, "--json").ok());

    here.awaitIdle();
    assertThat(here.snapshots("quick")).hasSize(2);
    assertThat(pushed.string("snapshot")).isEqualTo(here.snapshots("quick").getLast().string("id"));
  }

  private interface Command {
    String run() throws IOException, InterruptedException;
  }

  private static CompletableFuture<String> meanwhile(Command command) {
    CompletableFuture<String> said = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            said.complete(command.run());
          } catch (IOException | InterruptedException | AssertionError e) {
            said.completeExceptionally(e);
          }
        });
    return said;
  }

  private static JsonObject pushed(Host host, StorageProcess server)
      throws IOException, InterruptedException {
    return JsonObject.parse(host.regen("push", "desk", "--store", server.url(), "--json").ok());
  }
}
