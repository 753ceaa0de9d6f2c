package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.runtime.json.JsonObject;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A manager's process under a thousand nodes, with 100 jobs a second; then the same while it is
 * killed ten times. {@code -Dregen.load.nodes}, {@code .rate}, {@code .seconds} and {@code .kills}
 * say otherwise. The figures are printed.
 */
@Tag("long")
final class FleetLoadTest {
  private static final int NODES = Integer.getInteger("regen.load.nodes", 1_000);
  private static final int RATE = Integer.getInteger("regen.load.rate", 100);
  private static final int SECONDS = Integer.getInteger("regen.load.seconds", 60);
  private static final int KILLS = Integer.getInteger("regen.load.kills", 10);
  private static final int SENDERS = 64;
  private static final long RSS_MAX_KIB = 600_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final Map<String, Long> heardAtNanos = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> runs = new ConcurrentHashMap<>();
  private final List<LoadNode> nodes = new ArrayList<>();
  private final AtomicInteger asked = new AtomicInteger();

  @SuppressWarnings("NullAway.Init")
  private URI manager;

  @SuppressWarnings("NullAway.Init")
  private String token;

  @SuppressWarnings("NullAway.Init")
  private Process process;

  /** A job that was asked for: its key, its id, and how long it took to reach its node. */
  private record Job(String id, long askedAtNanos) {}

  @BeforeEach
  void start() throws Exception {
    try (ServerSocket free = new ServerSocket(0)) {
      manager = URI.create("http://127.0.0.1:" + free.getLocalPort());
    }
    token =
        Fleet.token(
            new FleetUrl.Sqlite(directory.resolve("fleet.db")),
            InstantSource.system(),
            "root",
            Role.ADMIN);
    process = started();
    try (LoadConnection admin = new LoadConnection(manager, token)) {
      for (int i = 0; i < NODES; i++) {
        String body = new JsonObject().with("name", "n" + i).toString();
        JsonObject added = retried(admin, "POST", "/v1/nodes", body, "");
        nodes.add(
            new LoadNode(
                manager,
                "n" + i,
                added.string("token"),
                id -> heardAtNanos.putIfAbsent(id, System.nanoTime()),
                id -> runs.computeIfAbsent(id, _ -> new AtomicInteger()).incrementAndGet()));
      }
    }
    awaitConnected();
  }

  @AfterEach
  void stop() throws Exception {
    for (LoadNode node : nodes) {
      node.close();
    }
    process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
  }

  @Test
  void messagesReachTheirNodesInTimeAndNoKillLosesAJobOrRunsItTwice() throws Exception {
    LoadNode.pause(5_000); // All inventories are told.
    List<Job> quiet = ask(RATE * SECONDS);
    awaitEnded(quiet);
    long rssKib = memoryKib("VmHWM");
    long[] micros = quiet.stream().mapToLong(this::deliveryMicros).sorted().toArray();
    long median = micros[micros.length / 2] / 1_000;
    long p99 = micros[micros.length * 99 / 100] / 1_000;

    Thread killer = Thread.ofPlatform().start(this::killAgainAndAgain);
    List<Job> troubled = ask(RATE * KILLS * 6);
    killer.join();
    awaitEnded(troubled);

    System.out.printf(
        "%d nodes, %d jobs/s for %d s: median %d ms, p99 %d ms, max %d ms; %d MB resident at most,"
            + " %d MB at the end; %d kills, %d jobs meanwhile%n",
        NODES,
        RATE,
        SECONDS,
        median,
        p99,
        micros[micros.length - 1] / 1_000,
        rssKib / 1_000,
        memoryKib("VmRSS") / 1_000,
        KILLS,
        troubled.size());
    assertThat(runs.values()).as("runs of each job").allMatch(count -> count.get() == 1);
    assertThat(runs).hasSize(quiet.size() + troubled.size());
    assertThat(median).as("median in ms").isLessThanOrEqualTo(200);
    assertThat(p99).as("p99 in ms").isLessThanOrEqualTo(1_000);
    assertThat(rssKib).as("resident KiB").isLessThanOrEqualTo(RSS_MAX_KIB);
  }

  /** Asks for so many jobs, at the rate; each is asked for until the manager has it. */
  private List<Job> ask(int count) throws InterruptedException {
    Job[] jobs = new Job[count];
    AtomicInteger next = new AtomicInteger();
    long begin = System.nanoTime();
    List<Thread> senders = new ArrayList<>();
    for (int i = 0; i < SENDERS; i++) {
      senders.add(
          Thread.ofVirtual()
              .start(() -> {
                try (LoadConnection connection = new LoadConnection(manager, token)) {
                  for (int job = next.getAndIncrement();
                      job < count;
                      job = next.getAndIncrement()) {
                    long at = begin + job * (1_000_000_000L / RATE);
                    LoadNode.pause(Math.max(0, (at - System.nanoTime()) / 1_000_000));
                    jobs[job] = ask(connection);
                  }
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    return Arrays.asList(jobs);
  }

  private Job ask(LoadConnection connection) throws IOException {
    int number = asked.getAndIncrement();
    String body =
        new JsonObject()
            .with("operation", "setKeep")
            .with("parts", new JsonObject().with("queue", "queue-" + number % 10))
            .with("body", new JsonObject().with("keep", 5))
            .toString();
    long at = System.nanoTime();
    JsonObject job =
        retried(
            connection,
            "POST",
            "/v1/nodes/n" + number * 7919L % NODES + "/jobs",
            body,
            "Idempotency-Key: k" + number + "\r\n");
    return new Job(job.string("id"), at);
  }

  private static JsonObject retried(
      LoadConnection connection, String method, String path, String body, String headers)
      throws IOException {
    IOException last = new IOException("never tried");
    for (int i = 0; i < 600; i++) {
      try {
        return connection.send(method, path, body, headers);
      } catch (IOException e) {
        last = e;
        LoadNode.pause(100);
      }
    }
    throw last;
  }

  private long deliveryMicros(Job job) {
    Long heard = heardAtNanos.get(job.id());
    if (heard == null) {
      throw new AssertionError(job + " has not reached its node");
    }
    return (heard - job.askedAtNanos()) / 1_000;
  }

  private void killAgainAndAgain() {
    try {
      for (int i = 0; i < KILLS; i++) {
        LoadNode.pause(4_000);
        process.destroyForcibly().waitFor();
        process = started();
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void awaitConnected() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!nodes.stream().allMatch(LoadNode::connected)) {
      assertThat(System.nanoTime()).as("nodes do not connect").isLessThan(deadline);
      LoadNode.pause(100);
    }
  }

  private void awaitEnded(List<Job> jobs) throws IOException {
    try (LoadConnection connection = new LoadConnection(manager, token)) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      for (Job job : jobs) {
        String path = "/v1/jobs/" + job.id();
        JsonObject now = retried(connection, "GET", path, "", "");
        while (!now.string("state").equals("success")) {
          assertThat(now.string("state")).as("%s", now).isNotEqualTo("failed");
          assertThat(System.nanoTime()).as("%s", now).isLessThan(deadline);
          LoadNode.pause(100);
          now = retried(connection, "GET", path, "", "");
        }
      }
    }
  }

  private long memoryKib(String what) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", process.pid() + "", "status"))) {
      if (line.startsWith(what + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("the manager has ended");
  }

  /** With what {@code regen manager} is started with where it is installed. */
  private Process started() throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    words.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms16m",
            "-XX:NewRatio=1",
            "-Xmx320m",
            "-XX:MinHeapFreeRatio=10",
            "-XX:MaxHeapFreeRatio=20",
            "-XX:-ShrinkHeapInSteps",
            "-XX:TrimNativeHeapInterval=10000",
            "-XX:ReservedCodeCacheSize=48m",
            "-XX:MaxDirectMemorySize=128m",
            "-XX:+ExitOnOutOfMemoryError",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.regen.agent.Main",
            "manager",
            "--listen=127.0.0.1:" + manager.getPort(),
            "--fleet=sqlite:" + directory.resolve("fleet.db")));
    File log = directory.resolve("manager.log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log));
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process made = builder.start();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!isUp()) {
      assertThat(made.isAlive()).as(() -> text(log)).isTrue();
      assertThat(System.nanoTime()).as("the manager does not come up").isLessThan(deadline);
      Thread.sleep(20);
    }
    return made;
  }

  private boolean isUp() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), manager.getPort())) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static String text(File log) {
    try {
      return Files.readString(log.toPath());
    } catch (IOException e) {
      return String.valueOf(e);
    }
  }
}
