package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * Two agents without an engine, the second of another home: what {@link #regen} asks is host A,
 * {@link #other} is host B. Layers come by import.
 */
abstract class TwoHosts extends AgentWithoutEngine {
  @Nullable Agent second;

  @BeforeEach
  void startSecond() throws IOException {
    startOther();
  }

  @AfterEach
  void stopSecond() throws IOException {
    stopOther();
  }

  final void startOther() throws IOException {
    second =
        new Agent(
            AgentConfiguration.of(new JsonObject().with("spoolPollMillis", 20), environmentB()),
            environmentB(),
            InstantSource.system());
    second.start();
  }

  final void stopOther() throws IOException {
    if (second != null) {
      second.close();
      second = null;
    }
  }

  /** Host B's agent as a process of its own, which can be killed. */
  final Process startOtherAsProcess() throws IOException {
    ProcessBuilder process =
        new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-Xmx160m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.regen.agent.Main",
            "agent");
    process.environment().putAll(environmentB());
    Path socket = directory.resolve("b-run/regen.sock");
    Files.deleteIfExists(socket);
    Process started = process.inheritIO().start();
    await(() -> Files.exists(socket) || !started.isAlive());
    assertThat(started.isAlive()).isTrue();
    return started;
  }

  static void kill(Process process) {
    process.destroyForcibly();
    process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  @Override
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(super.environment());
    environment.put("REGEN_KEYSET", directory.resolve("keys/keys.json").toString());
    return environment;
  }

  final Map<String, String> environmentB() {
    Map<String, String> environment = new HashMap<>(environment());
    environment.put("REGEN_HOME", homeB().toString());
    environment.put("REGEN_RUN", directory.resolve("b-run").toString());
    environment.put("REGEN_KEYSET", directory.resolve("b-keys/keys.json").toString());
    return environment;
  }

  final Path homeB() {
    return directory.resolve("b-home");
  }

  /** Runs a command on host B. */
  final Result other(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayInputStream in = new ByteArrayInputStream(new byte[0]);
    int code = Main.run(arguments, environmentB(), in, out, err, false);
    return new Result(
        code, out.toString(StandardCharsets.ISO_8859_1), err.toString(StandardCharsets.UTF_8));
  }

  /**
   * Runs a command meanwhile; not in the common pool, which may have one thread, and which the HTTP
   * client needs.
   */
  static CompletableFuture<Result> meanwhile(java.util.function.Supplier<Result> command) {
    return CompletableFuture.supplyAsync(command, run -> Thread.ofPlatform().daemon().start(run))
        .orTimeout(60, TimeUnit.SECONDS);
  }

  /** Imports so many random files as a queue's newest snapshot on host A. */
  final void importFiles(String queue, long seed, int count, int bytesEach) throws IOException {
    Path tree = Files.createDirectories(directory.resolve("tree"));
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      byte[] bytes = new byte[bytesEach];
      random.nextBytes(bytes);
      Path parent = Files.createDirectories(tree.resolve("d" + i % 10));
      Files.write(parent.resolve("f" + i), bytes);
    }
    importTree(queue, tree);
  }

  final void importTree(String queue, Path tree) throws IOException {
    Path tar = directory.resolve("layer.tar");
    try {
      new ProcessBuilder("tar", "-C", tree.toString(), "-cf", tar.toString(), ".")
          .inheritIO()
          .start()
          .waitFor();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertThat(regen("import", queue, tar.toString()).err()).isEmpty();
  }

  /** Both hosts hold the same layer as the newest of a queue, to the byte. */
  final void assertSameLayer(String queue) {
    Result here = regen("export", queue + "@latest");
    Result there = other("export", queue + "@latest");
    assertThat(there.err()).isEmpty();
    assertThat(there.out().length()).isEqualTo(here.out().length());
    assertThat(there.out().equals(here.out())).as("the same tar").isTrue();
    assertThat(other("verify", queue).code()).isZero();
  }

  final List<String> ids(Result listing) throws IOException {
    List<String> ids = new ArrayList<>();
    array(listing)
        .forEach(row -> {
          try {
            ids.add(row.string("id"));
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    return ids;
  }

  static JsonObject done(Result result) throws IOException {
    assertThat(result.code()).as(result.err()).isZero();
    return JsonObject.parse(result.out());
  }

  interface Condition {
    boolean holds() throws IOException;
  }

  static void await(Condition condition) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    try {
      while (!condition.holds()) {
        assertThat(System.nanoTime()).as("waited for 30 s").isLessThan(deadline);
        Thread.sleep(20);
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
