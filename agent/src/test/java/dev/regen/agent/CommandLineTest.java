package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The command line against a real agent: what it lists, keeps, gives out and takes in. */
final class CommandLineTest extends AgentWithoutEngine {
  @Test
  void layerInTheSpoolBecomesASnapshotThatIsListed() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    JsonObject queue = array(regen("ls", "--json")).getFirst();
    JsonObject snapshot = array(regen("ls", "desk", "--json")).getFirst();

    assertThat(queue.members())
        .containsEntry("name", "desk")
        .containsEntry("length", 5L)
        .containsEntry("snapshots", 1L)
        .containsEntry("state", "ready");
    assertThat(snapshot.members().keySet())
        .contains(
            "id",
            "time",
            "sizeBytes",
            "newBytes",
            "entries",
            "reason",
            "exitCode",
            "good",
            "pinned",
            "state");
    assertThat(snapshot.string("time")).isEqualTo("2026-11-22T09:00:00.000Z");
    assertThat(snapshot.string("state")).isEqualTo("complete");
    assertThat(regen("ls", "desk", "--utc").out()).contains("2026-11-22T09:00:00.000Z");
  }

  @Test
  void pinnedSnapshotIsNotRemovedUntilItIsUnpinned() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    assertThat(regen("pin", "desk@latest").code()).isZero();
    Result refused = regen("rm", "desk@latest");
    assertThat(regen("unpin", "desk@latest").code()).isZero();

    assertThat(refused.code()).isEqualTo(4);
    assertThat(regen("rm", "desk@latest").code()).isZero();
    assertThat(array(regen("ls", "desk", "--json"))).isEmpty();
  }

  @Test
  void choiceForTheNextRunIsTakenBackAndIsNoReasonToKeepAQueue()
      throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();
    assertThat(regen("restore", "desk", "--at", "-1").code()).isZero();

    Result refused = regen("rm", "desk@-1");
    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("'regen restore desk --at latest' takes that back");
    assertThat(regen("restore", "desk", "--at", "latest").code()).isZero();
    assertThat(regen("ls", "desk").out()).doesNotContain("chosen");
    assertThat(regen("rm", "desk@-1").code()).isZero();

    spool("desk", NINE.plusSeconds(2), "three");
    awaitIdle();
    assertThat(regen("restore", "desk", "--at", "-1").code()).isZero();
    assertThat(regen("rm", "--queue", "desk").code()).isZero();
    assertThat(regen("ls", "desk").code()).isEqualTo(3);
  }

  @Test
  void showNamesWhatTheLabelLeavesOut() throws IOException, InterruptedException {
    JsonObject labels = new JsonObject().with("regen.exclude", "/var/cache, /tmp");
    JsonObject config = new JsonObject().with("Labels", labels);
    spool("desk", NINE, "one", new JsonObject().with("config", config));
    spool("other", NINE, "one", new JsonObject().with("config", new JsonObject()));
    awaitIdle();

    for (String address : List.of("desk", "desk@latest")) {
      assertThat(regen("show", address).out()).contains("left out:\n  - /var/cache\n  - /tmp\n");
    }
    assertThat(regen("show", "other@latest").out()).doesNotContain("left out");
  }

  @Test
  void jobsAreListedUpToANumberTheNewestOfThem() throws IOException {
    for (String queue : List.of("one", "two", "three")) {
      regen("verify", "--json");
      regen("import", queue, Files.write(directory.resolve("t"), new byte[1024]).toString());
    }

    assertThat(array(regen("jobs", "-n", "2", "--json")))
        .extracting(job -> job.string("kind"))
        .containsExactly("verify", "import");
    assertThat(array(regen("jobs", "--json"))).hasSize(6);
  }

  @Test
  void shorterQueueGivesUpItsOldest() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();

    assertThat(regen("keep", "desk", "1").code()).isZero();

    List<JsonObject> left = array(regen("ls", "desk", "--json"));
    assertThat(left).hasSize(1);
    assertThat(left.getFirst().string("time")).isEqualTo("2026-11-22T09:00:01.000Z");
  }

  @Test
  void exportedLayerComesBackByImport() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    Path tar = directory.resolve("layer.tar");
    Path stored = directory.resolve("layer.tar.zst");

    assertThat(regen("export", "desk@latest", "-o", tar.toString()).code()).isZero();
    assertThat(regen("export", "desk@latest").out())
        .isEqualTo(Files.readString(tar, StandardCharsets.ISO_8859_1));
    assertThat(regen("export", "desk@latest", "-o", stored.toString()).code()).isZero();
    Result imported = regen("import", "copy", stored.toString());

    assertThat(imported.err()).isEmpty();
    assertThat(imported.out())
        .startsWith("imported as snapshot ")
        .contains("it names no image, so the next run lays it on its own", "--image IMAGE");
    assertThat(regen("export", "copy@latest").out())
        .isEqualTo(Files.readString(tar, StandardCharsets.ISO_8859_1));
    assertThat(array(regen("ls", "copy", "--json")).getFirst().string("reason"))
        .isEqualTo("imported");
  }

  @Test
  void truncatedImportIsRefusedAndLeavesNothing() throws IOException {
    Path broken = Files.write(directory.resolve("broken.tar"), new byte[700]);
    Files.write(broken, "no tar at all".repeat(100).getBytes(StandardCharsets.UTF_8));

    Result result = regen("import", "desk", broken.toString());

    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("regen: " + broken + ": the layer is refused: it is no tar")
        .doesNotContain("home/tmp")
        .hasLineCount(1);
    assertThat(regen("ls", "desk").code()).isEqualTo(3);
    assertThat(directory.resolve("home/tmp")).isEmptyDirectory();
  }

  @Test
  void importThatFailsLeavesNoQueueThatItMade() throws IOException, InterruptedException {
    Path tree = Files.createDirectories(directory.resolve("deep/" + "d/".repeat(1010)));
    Path tar = directory.resolve("deep.tar");
    assertThat(tree).isDirectory();
    Process packing =
        new ProcessBuilder("tar", "-cf", tar.toString(), "-C", directory.toString(), "deep")
            .inheritIO()
            .start();
    assertThat(packing.waitFor()).isZero();

    Result result = regen("import", "desk", tar.toString());

    assertThat(result.code()).as(result.err()).isEqualTo(4);
    assertThat(result.err()).contains("more than 1,000 names");
    assertThat(regen("ls", "desk").code()).isEqualTo(3);
    assertThat(array(regen("ls", "--json"))).isEmpty();
  }

  @Test
  void eventsTellWhatHappened() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    spool("desk", NINE.plusSeconds(1), "one");
    awaitIdle();

    List<JsonObject> events = array(regen("events", "desk", "--json"));

    assertThat(events.stream().map(event -> event.members().get("kind")))
        .containsExactly("captured", "unchanged");
    assertThat(regen("events").out()).contains("captured");
  }

  @Test
  void longMessagesAreCutToATerminalAndNowhereElse() throws IOException, InterruptedException {
    Path queue = directory.resolve("home/queues/desk/queue.json");
    Files.createDirectories(directory.resolve("home/queues/desk"));
    Files.writeString(queue, "{");
    spool("desk", NINE, "one");
    Thread.sleep(500);

    for (String command : List.of("jobs", "events")) {
      assertThat(terminal(60, command).out().lines())
          .allMatch(line -> line.length() <= 60)
          .anyMatch(line -> line.length() == 60 && line.endsWith("…"));
      assertThat(regen(command).out()).contains("from their manifests");
      assertThat(regen(command, "--json").out()).contains("from their manifests");
    }
  }
}
