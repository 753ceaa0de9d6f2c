package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line against a real agent on a real Unix socket, without an engine. */
final class CommandLineTest {
  private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Agent agent;

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void start() throws IOException {
    assumeTrue(isRoot(), "layer trees hold device files: needs root");
    agent = started();
  }

  @AfterEach
  void stop() throws IOException {
    if (agent != null) {
      agent.close();
    }
  }

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
  void queueThatIsNotThereIsExitCodeThree() {
    for (List<String> command :
        List.of(
            List.of("ls", "none"),
            List.of("show", "none"),
            List.of("show", "none@latest"),
            List.of("pin", "none@-1"),
            List.of("rm", "none@latest"),
            List.of("keep", "none", "3"),
            List.of("export", "none@latest"),
            List.of("verify", "none"))) {
      Result result = regen(command.toArray(String[]::new));
      assertThat(result.code()).as("%s: %s", command, result.err()).isEqualTo(3);
      assertThat(result.err()).startsWith("regen: ").contains("none").hasLineCount(1);
    }
  }

  @Test
  void timeBeforeTheFirstSnapshotIsExitCodeThree() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    assertThat(regen("show", "desk@2020-01-01T00:00:00Z").code()).isEqualTo(3);
    assertThat(regen("show", "desk@-1").err()).contains("goes back to @latest, which is");
  }

  @Test
  void misuseIsExitCodeTwoAndOneLine() {
    for (List<String> command :
        List.of(
            List.of("ls", "a b"),
            List.of("ls", "../etc"),
            List.of("ls", "desk", "--no-such-option"),
            List.of("no-such-command"),
            List.of("pin", "desk"),
            List.of("pin"),
            List.of("keep", "desk", "0"),
            List.of("keep", "desk", "-1"),
            List.of("keep", "desk", "1001"),
            List.of("keep", "desk", "many"))) {
      Result result = regen(command.toArray(String[]::new));
      assertThat(result.code()).as("%s", command).isEqualTo(2);
      assertThat(result.err()).startsWith("regen: ").hasLineCount(1);
    }
  }

  @Test
  void helpNamesTheExitCodes() {
    Result help = regen("--help");

    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("Exit codes:").contains("5  the agent cannot be reached");
  }

  @Test
  void agentThatIsNotThereIsExitCodeFive() throws IOException {
    agent.close();

    Result result = regen("ls");

    assertThat(result.code()).isEqualTo(5);
    assertThat(result.err()).contains("no agent answers on").hasLineCount(1);
    agent = started();
  }

  @Test
  void secondAgentOnTheSameHomeIsRefused() {
    Result result = regen("agent");

    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("another agent runs already");
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
    assertThat(imported.out()).startsWith("imported as snapshot ");
    assertThat(regen("export", "copy@latest").out())
        .isEqualTo(Files.readString(tar, StandardCharsets.ISO_8859_1));
    assertThat(array(regen("ls", "copy", "--json")).getFirst().string("reason"))
        .isEqualTo("imported");
  }

  @Test
  void truncatedImportIsRefusedAndLeavesNothing() throws IOException {
    Path broken = Files.write(directory.resolve("broken.tar"), new byte[700]);
    Files.write(broken, "no tar at all".getBytes(StandardCharsets.UTF_8));

    Result result = regen("import", "desk", broken.toString());

    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).startsWith("regen: ").hasLineCount(1);
    assertThat(regen("ls", "desk").code()).isEqualTo(3);
    assertThat(directory.resolve("home/tmp")).isEmptyDirectory();
  }

  @Test
  void damagedChunkIsFoundByVerify() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    Result whole = regen("verify");
    assertThat(whole.code()).isZero();
    Path chunk;
    try (var files = Files.walk(directory.resolve("home/chunks/sha256"))) {
      chunk = files.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(chunk);
    bytes[bytes.length / 2] ^= 1;
    chunk.toFile().setWritable(true);
    Files.write(chunk, bytes);

    Result result = regen("verify", "desk");

    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).contains("1 damaged").contains("desk@");
    String counted = whole.out().substring(0, whole.out().indexOf(':'));
    assertThat(result.out()).as("what is damaged is counted too").startsWith(counted);
  }

  @Test
  void damagedQueueIsMendedByRepair() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    Files.writeString(directory.resolve("home/queues/desk/queue.json"), "{");
    assertThat(regen("ls", "desk").code()).isEqualTo(1);
    assertThat(array(regen("ls", "--json")).getFirst().string("state")).isEqualTo("damaged");

    assertThat(regen("verify", "--repair").code()).isZero();

    assertThat(array(regen("ls", "desk", "--json"))).hasSize(1);
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
  void layerWhoseTreeCannotBeReadStaysAndIsListedAsFailed()
      throws IOException, InterruptedException {
    Path home = directory.resolve("home");
    Files.createDirectories(home.resolve("queues/desk"));
    Files.writeString(home.resolve("queues/desk/queue.json"), "{");
    spool("desk", NINE, "one");
    Thread.sleep(1500);

    assertThat(new Spool(new LocalDisk(), home.resolve("spool")).list()).hasSize(1);
    assertThat(array(regen("events", "desk", "--json")).getLast().string("kind"))
        .isEqualTo("failed");
    assertThat(regen("verify", "--repair", "desk").code()).isZero();
    awaitIdle();
    assertThat(array(regen("ls", "desk", "--json"))).hasSize(1);
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

  @Test
  void agentThatIsStartedAgainAdoptsAFrozenTreeWithoutARecord()
      throws IOException, InterruptedException {
    agent.close();
    Path staging = Files.createDirectories(directory.resolve("store/regen-staging"));
    Files.createDirectories(directory.resolve("home/stores"));
    Files.writeString(directory.resolve("home/stores/one"), staging.toString());
    Path frozen = new Staging(staging).frozen(new QueueName("lost"), NINE, new ContainerId("abc"));
    Files.createDirectories(frozen);
    Files.writeString(frozen.resolve("work"), "of a day");
    Files.createDirectories(staging.resolve("building-x/y"));
    Files.createDirectories(staging.resolve("trash-x/y"));
    Files.createDirectories(staging.resolve("hot-" + "0".repeat(32)));

    agent = started();
    awaitIdle();

    assertThat(array(regen("ls", "lost", "--json")).getFirst().string("time"))
        .isEqualTo("2026-11-22T09:00:00.000Z");
    assertThat(regen("export", "lost@latest").out()).contains("of a day");
    assertThat(treesLeft(0)).isEmpty();
  }

  @Test
  void exchangedTreeBecomesTheHotTreeOfItsSnapshot() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();

    String id = array(regen("ls", "desk", "--json")).getLast().string("id");
    assertThat(directory.resolve("home/stores")).isNotEmptyDirectory();
    assertThat(treesLeft(1)).containsExactly("hot-" + id);
  }

  /** What is in staging once that many trees are left; trees go in the background. */
  private List<String> treesLeft(int count) throws IOException, InterruptedException {
    List<String> left = List.of();
    for (int wait = 0; wait < 500; wait++) {
      try (var trees = Files.list(directory.resolve("store/regen-staging"))) {
        left =
            trees
                .map(tree -> String.valueOf(tree.getFileName()))
                .filter(name -> !name.equals("unforced"))
                .toList();
      }
      if (left.size() <= count) {
        break;
      }
      Thread.sleep(10);
    }
    return left;
  }

  private void spool(String queue, Instant endedAt, String content) throws IOException {
    Path staging = Files.createDirectories(directory.resolve("store/regen-staging"));
    Files.createDirectories(directory.resolve("home/stores"));
    Files.writeString(directory.resolve("home/stores/one"), staging.toString());
    ContainerId container = new ContainerId("c" + endedAt.getEpochSecond());
    Path tree = new Staging(staging).frozen(new QueueName(queue), endedAt, container);
    Files.createDirectories(tree);
    Path file = Files.writeString(tree.resolve("state"), content);
    Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.from(NINE));
    Files.setLastModifiedTime(tree, java.nio.file.attribute.FileTime.from(NINE));
    new Spool(new LocalDisk(), directory.resolve("home/spool"))
        .write(
            new FrozenLayer(
                Staging.jobName(new QueueName(queue), endedAt, container),
                new LayerFacts(container, new QueueName(queue), 5),
                tree,
                FrozenLayer.Kind.EXCHANGED,
                Fd.stat(tree).inode(),
                SeenRun.between(null, endedAt),
                List.of()));
  }

  private void awaitIdle() throws IOException, InterruptedException {
    Spool spool = new Spool(new LocalDisk(), directory.resolve("home/spool"));
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!spool.list().isEmpty() || anyRuns()) {
      assertThat(System.nanoTime()).as("the spool is not drained").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private boolean anyRuns() throws IOException {
    for (JsonObject job : array(regen("jobs", "--json"))) {
      if (job.string("state").equals("running") || job.string("state").equals("waiting")) {
        return true;
      }
    }
    return false;
  }

  private Agent started() throws IOException {
    Agent opened =
        new Agent(
            AgentConfiguration.of(new JsonObject().with("spoolPollMillis", 20), environment()),
            environment(),
            InstantSource.system());
    opened.start();
    return opened;
  }

  private Map<String, String> environment() {
    return Map.of(
        "REGEN_HOME", directory.resolve("home").toString(),
        "REGEN_RUN", directory.resolve("run").toString(),
        "DOCKER_HOST", "unix://" + directory.resolve("no-engine.sock"));
  }

  private Result regen(String... arguments) {
    return run(environment(), StandardCharsets.ISO_8859_1, false, arguments);
  }

  /** As a person at a terminal of so many columns sees it. */
  private Result terminal(int columns, String... arguments) {
    Map<String, String> environment = new HashMap<>(environment());
    environment.put("COLUMNS", String.valueOf(columns));
    return run(environment, StandardCharsets.UTF_8, true, arguments);
  }

  private static Result run(
      Map<String, String> environment, Charset charset, boolean terminal, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
    int code = Main.run(arguments, environment, in, out, err, terminal);
    return new Result(code, out.toString(charset), err.toString(StandardCharsets.UTF_8));
  }

  private static List<JsonObject> array(Result result) throws IOException {
    assertThat(result.err()).isEmpty();
    return JsonObject.parse("{\"all\":" + result.out() + "}").objects("all");
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }
}
