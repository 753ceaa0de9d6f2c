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
import java.io.OutputStream;
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
import org.junit.jupiter.api.io.TempDir;

/** A real agent on a real Unix socket, without an engine, and the command line that talks to it. */
abstract class AgentWithoutEngine {
  static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @SuppressWarnings("NullAway.Init")
  Agent agent;

  record Result(int code, String out, String err) {}

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

  final void spool(String queue, Instant endedAt, String content) throws IOException {
    spool(queue, endedAt, content, new JsonObject());
  }

  /** As above, of a container with that configuration. */
  final void spool(String queue, Instant endedAt, String content, JsonObject spec)
      throws IOException {
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
                new LayerFacts(container, new QueueName(queue), 5, "", "", List.of(), spec),
                tree,
                FrozenLayer.Kind.EXCHANGED,
                Fd.stat(tree).inode(),
                SeenRun.between(null, endedAt),
                List.of()));
  }

  final void awaitIdle() throws IOException, InterruptedException {
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

  final Agent started() throws IOException {
    Agent opened =
        new Agent(
            AgentConfiguration.of(configuration(), environment()),
            environment(),
            InstantSource.system());
    opened.start();
    return opened;
  }

  JsonObject configuration() {
    return new JsonObject().with("spoolPollMillis", 20);
  }

  Map<String, String> environment() {
    return Map.of(
        "REGEN_HOME", directory.resolve("home").toString(),
        "REGEN_RUN", directory.resolve("run").toString(),
        "REGEN_KEYSET", directory.resolve("keyset/keys.json").toString(),
        "REGEN_CONFIGURATION", directory.resolve("none.json").toString(),
        "DOCKER_HOST", "unix://" + directory.resolve("no-engine.sock"));
  }

  Result regen(String... arguments) {
    return run(environment(), StandardCharsets.ISO_8859_1, false, arguments);
  }

  /** As a person at a terminal of so many columns sees it. */
  final Result terminal(int columns, String... arguments) {
    Map<String, String> environment = new HashMap<>(environment());
    environment.put("COLUMNS", String.valueOf(columns));
    return run(environment, StandardCharsets.UTF_8, true, arguments);
  }

  /** Runs a command whose standard output is the file {@code out}. */
  final Result regenInto(Path out, String... arguments) throws IOException {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (OutputStream stream = Files.newOutputStream(out)) {
      ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
      int code = Main.run(arguments, environment(), in, stream, err, false);
      return new Result(code, "", err.toString(StandardCharsets.UTF_8));
    }
  }

  private static Result run(
      Map<String, String> environment, Charset charset, boolean terminal, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
    int code = Main.run(arguments, environment, in, out, err, terminal);
    return new Result(code, out.toString(charset), err.toString(StandardCharsets.UTF_8));
  }

  static List<JsonObject> array(Result result) throws IOException {
    assertThat(result.err()).isEmpty();
    return JsonObject.parse("{\"all\":" + result.out() + "}").objects("all");
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }
}
