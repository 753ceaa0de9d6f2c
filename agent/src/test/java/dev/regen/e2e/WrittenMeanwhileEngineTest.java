package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Files of a layer are written to while it waits to be read, or while it is read. */
@EngineTest
final class WrittenMeanwhileEngineTest {
  private final Host host;

  WrittenMeanwhileEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void containerThatIsStartedAgainAndWritesGivesAnInconsistentSnapshot()
      throws IOException, InterruptedException {
    plain("again");
    try (Disk.Lock _ = readingHeldUp()) {
      host.docker("stop", "-t", "5", "again").ok();
      Host.await("the layer to be set aside", () -> !host.isSpoolEmpty());
      host.docker("start", "again").ok();
      host.docker("exec", "again", "sh", "-c", "echo 2 >>/root/a; echo 2 >/root/new").ok();
    }

    JsonObject mixed = host.snapshots("q-again").getLast();
    assertThat(mixed.string("state")).isEqualTo("inconsistent");
    assertThat(mixed.string("good")).isEqualTo("unknown");
    assertThat(host.regen("ls", "q-again").ok()).contains("inconsistent: its container ran");
    assertThat(host.regen("show", "q-again@latest").ok()).contains("state: inconsistent");
    assertThat(host.regen("events").ok())
        .contains("snapshot " + mixed.string("id").substring(0, 12) + " is inconsistent");

    host.docker("stop", "-t", "5", "again").ok();
    Host.await("the next end", () -> host.snapshots("q-again").size() == 2);
    JsonObject next = host.snapshots("q-again").getLast();
    assertThat(next.string("state")).isEqualTo("complete");
    assertThat(next.string("good")).isEqualTo("yes");
    host.docker("rm", "-f", "again").ok();
  }

  @Test
  void containerThatIsStartedAgainAndWritesNothingGivesAGoodSnapshot()
      throws IOException, InterruptedException {
    plain("idle");
    try (Disk.Lock _ = readingHeldUp()) {
      host.docker("stop", "-t", "5", "idle").ok();
      Host.await("the layer to be set aside", () -> !host.isSpoolEmpty());
      host.docker("start", "idle").ok();
    }

    JsonObject snapshot = host.snapshots("q-idle").getLast();
    assertThat(snapshot.string("state")).isEqualTo("complete");
    assertThat(snapshot.string("good")).isEqualTo("yes");
    host.docker("rm", "-f", "idle").ok();
  }

  @Test
  void containerThatSomebodyLetsGoOnDuringItsCaptureGivesAnInconsistentSnapshot()
      throws IOException, InterruptedException {
    plain("awake");
    CompletableFuture<Command.Result> capture;
    try (Disk.Lock _ = readingHeldUp()) {
      capture = CompletableFuture.supplyAsync(() -> captured("awake"));
      Host.await("the pause", () -> state("awake", ".State.Paused").equals("true"));
      Thread.sleep(500);
      host.docker("unpause", "awake").ok();
      host.docker("exec", "awake", "sh", "-c", "echo 2 >>/root/a").ok();
    }

    assertThat(capture.orTimeout(60, TimeUnit.SECONDS).join().ok()).contains("inconsistent");
    assertThat(host.snapshots("q-awake").getLast().string("state")).isEqualTo("inconsistent");
    assertThat(host.regen("capture", "awake", "--wait").ok()).doesNotContain("inconsistent");
    assertThat(host.snapshots("q-awake").getLast().string("state")).isEqualTo("complete");
    host.docker("rm", "-f", "awake").ok();
  }

  /** Each pauses the container: the second must not end what the first one needs. */
  @Test
  void twoCapturesAtOnceComeOneAfterTheOtherAndTheContainerRunsOn()
      throws IOException, InterruptedException {
    plain("twice");
    List<CompletableFuture<Command.Result>> captures = new ArrayList<>();
    try (Disk.Lock _ = readingHeldUp()) {
      for (int i = 0; i < 3; i++) {
        captures.add(
            CompletableFuture.supplyAsync(() -> captured("twice"), Thread::startVirtualThread));
      }
      Host.await(
          "two that wait",
          () -> host.regen("jobs", "--json").out().split("another capture", -1).length == 3);
    }
    for (CompletableFuture<Command.Result> capture : captures) {
      assertThat(capture.orTimeout(60, TimeUnit.SECONDS).join().ok())
          .doesNotContain("inconsistent");
    }
    assertThat(state("twice", ".State.Paused")).isEqualTo("false");
    assertThat(host.snapshots("q-twice")).isNotEmpty().allMatch(one -> isComplete(one));
    host.docker("rm", "-f", "twice").ok();
  }

  /** The second write goes to a page that is dirty already: by itself it moves no time. */
  @Test
  void writeThroughAMappingAfterACaptureIsInTheNextOne() throws IOException, InterruptedException {
    plain("mapped");
    Path file = Path.of(state("mapped", ".GraphDriver.Data.UpperDir")).resolve("root/a");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.force(true); // A block without a place on the disk is written out with any file.
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
      mapped.put(0, (byte) 'A');
      Thread.sleep(100);
      host.regen("capture", "mapped", "--wait").ok();

      mapped.put(0, (byte) 'B');
      Thread.sleep(100);
      host.regen("capture", "mapped", "--wait").ok();
    }

    List<JsonObject> snapshots = host.snapshots("q-mapped");
    assertThat(snapshots).hasSize(2);
    assertThat(exported(snapshots.getFirst())).isEqualTo("A");
    assertThat(exported(snapshots.getLast())).isEqualTo("B");
    host.docker("rm", "-f", "mapped").ok();
  }

  private static boolean isComplete(JsonObject snapshot) {
    try {
      return snapshot.string("state").equals("complete");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Command.Result captured(String name) {
    try {
      return host.regen("capture", name, "--wait");
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the snapshot holds as {@code /root/a}, as tar reads it. */
  private String exported(JsonObject snapshot) throws IOException, InterruptedException {
    Path tar = Files.createTempFile("mapped", ".tar");
    try {
      host.regen("export", "q-mapped@" + snapshot.string("id"), "-o", tar.toString()).ok();
      return Command.run(Map.of(), "tar", "-xOf", tar.toString(), "root/a").ok();
    } finally {
      Files.delete(tar);
    }
  }

  /** Until the answer is closed nothing is archived, as if the chunk store were being swept. */
  private Disk.Lock readingHeldUp() throws IOException, InterruptedException {
    Path lock = host.home().resolve("collect.lock");
    while (true) {
      Optional<Disk.Lock> taken = new LocalDisk().tryLock(lock);
      if (taken.isPresent()) {
        return taken.get();
      }
      Thread.sleep(20);
    }
  }

  private void plain(String name) throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--init",
            "--label=regen.queue=q-" + name,
            "--network=none",
            "--name",
            name,
            Host.IMAGE,
            "sh",
            "-c",
            "test -e /root/a || echo 1 >/root/a; sleep 1000")
        .ok();
    Host.await("the file", () -> host.docker("exec", name, "cat", "/root/a").code() == 0);
  }

  private String state(String name, String what) throws IOException, InterruptedException {
    return host.docker("inspect", "-f", "{{" + what + "}}", name).ok();
  }
}
