package dev.regen.e2e;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host of its own: a Docker engine with its own data root and socket, Regen installed beside it,
 * the agent as a process. Everything lies under one directory and is gone after {@link #close}.
 */
final class Host implements AutoCloseable {
  static final String IMAGE = "box";

  private static final Duration WAIT_LIMIT = Duration.ofSeconds(60);

  private final Path root;
  private final HostEngine engine;
  private final HostFront front;
  private final Path java;
  private final String classpath;
  private @Nullable Daemon agent;

  private Host(Path root, Place place, String storageDriver) {
    this.root = root;
    this.java = Path.of(System.getProperty("java.home"), "bin", "java");
    this.classpath = System.getProperty("java.class.path");
    this.engine = new HostEngine(root, place, storageDriver);
    this.front = new HostFront(root, java);
  }

  /** Starts engine and agent, with an image made of busybox. */
  static Host start() throws IOException, InterruptedException {
    return start(new Place.Here(), "", "");
  }

  /**
   * As above, with the engine in another place, with another storage driver, or with its data in a
   * file system in a file.
   */
  static Host start(Place place, String storageDriver, String fileSystem)
      throws IOException, InterruptedException {
    Host host =
        new Host(
            Files.createTempDirectory(Path.of("/var/lib"), "regen-e2e-"), place, storageDriver);
    try {
      if (!fileSystem.isEmpty()) {
        host.engine.makeFileSystem(fileSystem);
      }
      host.installFront(place);
      host.startEngine();
      host.engine.importImage(IMAGE);
      host.startAgent();
      return host;
    } catch (IOException | RuntimeException | Error e) {
      host.close();
      throw e;
    }
  }

  Path home() {
    return root.resolve("home");
  }

  Path run() {
    return root.resolve("run");
  }

  Path dataRoot() {
    return engine.dataRoot();
  }

  /** Runs {@code docker} against this host's engine. */
  Command.Result docker(String... arguments) throws IOException, InterruptedException {
    return engine.docker(arguments);
  }

  /** The words that run {@code docker} against this host's engine. */
  List<String> dockerWords(String... arguments) {
    return engine.words(arguments);
  }

  /** {@code docker run --rm --name queue} in the image, under Regen, with a shell script. */
  Command.Result desk(String queue, String script) throws IOException, InterruptedException {
    return docker(
        "run",
        "--runtime=regen",
        "--rm",
        "--network=none",
        "--name",
        queue,
        IMAGE,
        "sh",
        "-c",
        script);
  }

  /** Runs {@code regen} against this host's agent. */
  Command.Result regen(String... arguments) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                java.toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classpath,
                "dev.regen.agent.Main"));
    words.addAll(List.of(arguments));
    return new Command(inside(words), environment()).run();
  }

  /** The words that run a command where Regen is, which may be inside the engine's root. */
  List<String> inside(List<String> words) {
    return engine.inside(words);
  }

  /** The words that run a command of the machine's where the engine's 127.0.0.1 is. */
  List<String> inNetwork(List<String> words) {
    return engine.inNetwork(words);
  }

  /** A directory that engine, agent and test all see at one path. */
  Path shared() throws IOException {
    return Files.createDirectories(root.resolve("shared"));
  }

  /** Runs a shell script where Regen's command line is, which sees the mounts it made. */
  Command.Result shell(String script) throws IOException, InterruptedException {
    return new Command(inside(List.of("sh", "-c", script)), environment()).run();
  }

  /** The snapshots of a queue, oldest first, after the agent has archived all that waits. */
  List<JsonObject> snapshots(String queue) throws IOException, InterruptedException {
    awaitIdle();
    String json = regen("ls", queue, "--json").ok();
    return JsonObject.parse("{\"all\":" + json + "}").objects("all");
  }

  /** Waits until the spool is empty. */
  void awaitIdle() throws IOException, InterruptedException {
    await("the spool to be empty", this::isSpoolEmpty);
  }

  boolean isSpoolEmpty() throws IOException {
    return !Files.exists(spool()) || isEmpty(spool());
  }

  Path spool() {
    return home().resolve("spool");
  }

  void startAgent() throws IOException, InterruptedException {
    startAgent("dev.regen.agent.Main");
    if (!agentAlive()) {
      throw new IOException("the agent ended:\n" + Files.readString(agentLog()));
    }
  }

  void startAgent(String mainClass, String... jvmOptions) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(java.toString(), "-XX:+UseSerialGC", "-Xmx256m"));
    words.add("--enable-native-access=ALL-UNNAMED");
    words.addAll(List.of(jvmOptions));
    words.addAll(List.of("-cp", classpath, mainClass, "agent"));
    Files.deleteIfExists(run().resolve("regen.sock"));
    Daemon started = Daemon.start(inside(words), environment(), agentLog());
    agent = started;
    await(
        "the agent to answer", () -> !started.alive() || Files.exists(run().resolve("regen.sock")));
  }

  /** Waits until the agent's process has ended by itself. */
  void awaitAgentEnd() throws InterruptedException {
    if (agent != null) {
      agent.awaitEnd();
    }
  }

  boolean agentAlive() {
    return agent != null && agent.alive();
  }

  /** Waits for the agent to have nothing left to do; whether it is still there then. */
  boolean agentOutlivesItsWork() throws IOException, InterruptedException {
    await("the agent to die or to be done", () -> !agentAlive() || isSpoolEmpty());
    Thread.sleep(300);
    return agentAlive();
  }

  /** Ends the agent: asked to with {@code TERM}, or by {@code KILL}. */
  void stopAgent(boolean kill) throws InterruptedException {
    if (agent != null) {
      agent.stop(kill);
    }
    agent = null;
  }

  void startEngine() throws IOException, InterruptedException {
    engine.start();
  }

  void stopEngine() throws InterruptedException {
    engine.stop();
  }

  /**
   * From now on the one-shot process for {@code verb} is killed before its n-th change to the disk:
   * the next one, or every one.
   */
  void killHooks(String verb, int crashAt, boolean everyOne) throws IOException {
    front.killHooks(verb, crashAt, everyOne);
  }

  /** Whether a hook was killed since {@link #killHooks}. */
  boolean isHookKilled() {
    return front.isHookKilled();
  }

  /** From now on the front runs this shell script first, and no other that it was given before. */
  void inFront(String shell) throws IOException {
    front.first(shell);
  }

  /** Waits, bounded, until something holds. */
  static void await(String what, Condition condition) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + WAIT_LIMIT.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited " + WAIT_LIMIT.toSeconds() + " s for " + what);
      }
      Thread.sleep(50);
    }
  }

  /** Something to wait for. */
  interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  /** Copies what engine, agent and hooks have logged so far into a directory. */
  void saveLogs(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Path log : List.of(agentLog(), engine.log(), run().resolve("hook.log"))) {
      if (Files.exists(log)) {
        Files.copy(log, directory.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(places());
    environment.put("DOCKER_HOST", engine.address());
    environment.put("REGEN_CONFIGURATION", configuration().toString());
    return environment;
  }

  /** What the next agent is told. */
  void configure(JsonObject json) throws IOException {
    Files.write(configuration(), json.bytes());
  }

  private Path configuration() {
    return root.resolve("regen.json");
  }

  @Override
  public void close() throws IOException {
    try {
      engine.removeContainers();
      stopAgent(false);
      stopEngine();
      engine.unmount();
      TreeRemoval.remove(root);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private void installFront(Place place) throws IOException {
    Files.createDirectories(run());
    List<String> settings = new ArrayList<>();
    places().forEach((name, value) -> settings.add(name + "=" + value));
    front.install(settings, classpath, place.settings());
  }

  private Map<String, String> places() {
    return Map.of(
        "REGEN_HOME", home().toString(),
        "REGEN_RUN", run().toString(),
        "REGEN_DATA_ROOTS", dataRoot().toString());
  }

  private Path agentLog() {
    return root.resolve("agent.log");
  }

  /** The directory with the outermost pom.xml. */
  static Path repository() {
    Path here = Path.of("").toAbsolutePath();
    return HostFront.isIn(here) ? here : here.resolve("..").normalize();
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (var names = Files.list(directory)) {
      return names.findAny().isEmpty();
    }
  }
}
