package dev.regen.e2e;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A host of its own: a Docker engine with its own data root and socket, Regen installed beside it,
 * the agent as a process. Everything lies under one directory and is gone after {@link #close}.
 */
final class Host implements AutoCloseable {
  static final String IMAGE = "box";

  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final String FOR_A_TEST = " # for a test";
  private static final String FRONT = "runtime/src/main/sh/regen-runtime";

  private final Path root;
  private final Place place;
  private final String storageDriver;
  private final Path java;
  private final String classpath;
  private @Nullable Process engine;
  private @Nullable Process agent;

  private Host(Path root, Place place, String storageDriver) {
    this.root = root;
    this.place = place;
    this.storageDriver = storageDriver;
    this.java = Path.of(System.getProperty("java.home"), "bin", "java");
    this.classpath = System.getProperty("java.class.path");
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
        host.makeFileSystem(fileSystem);
      }
      host.installFront();
      host.startEngine();
      host.importImage();
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
    return place.dataRoot(engineRoot());
  }

  private Path engineRoot() {
    return root.resolve("docker");
  }

  /** Runs {@code docker} against this host's engine. */
  Command.Result docker(String... arguments) throws IOException, InterruptedException {
    return new Command(dockerWords(arguments), Map.of()).run();
  }

  /** The words that run {@code docker} against this host's engine. */
  List<String> dockerWords(String... arguments) {
    List<String> words = new ArrayList<>(List.of("docker", "-H", "unix://" + engineSocket()));
    words.addAll(List.of(arguments));
    return words;
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
        new ArrayList<>(List.of(java.toString(), "-cp", classpath, "dev.regen.agent.Main"));
    words.addAll(List.of(arguments));
    return new Command(inside(words), environment()).run();
  }

  /** The words that run a command where Regen is, which may be inside the engine's root. */
  List<String> inside(List<String> words) {
    return engine == null ? words : place.inside(engine.pid(), words);
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
      throw new IOException("the agent ended:\n" + Files.readString(logFile("agent")));
    }
  }

  void startAgent(String mainClass, String... jvmOptions) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(java.toString(), "-XX:+UseSerialGC", "-Xmx256m"));
    words.add("--enable-native-access=ALL-UNNAMED");
    words.addAll(List.of(jvmOptions));
    words.addAll(List.of("-cp", classpath, mainClass, "agent"));
    Files.deleteIfExists(run().resolve("regen.sock"));
    ProcessBuilder builder = new ProcessBuilder(inside(words));
    builder.environment().putAll(environment());
    builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile("agent").toFile()));
    Process process = builder.start();
    agent = process;
    await(
        "the agent to answer",
        () -> !process.isAlive() || Files.exists(run().resolve("regen.sock")));
  }

  /** Waits until the agent's process has ended by itself. */
  void awaitAgentEnd() throws InterruptedException {
    Process process = agent;
    if (process != null && !process.waitFor(START_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("the agent still runs");
    }
  }

  boolean agentAlive() {
    return agent != null && agent.isAlive();
  }

  /** Ends the agent: asked to with {@code TERM}, or by {@code KILL}. */
  void stopAgent(boolean kill) throws InterruptedException {
    stop(agent, kill);
    agent = null;
  }

  /**
   * From now on the one-shot process for {@code verb} is killed before its n-th change to the disk:
   * the next one, or every one.
   */
  void killHooks(String verb, int crashAt, boolean everyOne) throws IOException {
    Files.deleteIfExists(killed());
    String script =
        """
        #!/bin/sh
        case %b,$(ls %s 2>/dev/null)," $* " in false,/*) exec %s "$@" ;; *' %s '*) ;; *) exec %s "$@" ;; esac
        for word do
          shift
          [ "$word" != dev.regen.agent.hook.OneShot ] || word=dev.regen.agent.hook.CrashingHook
          set -- "$@" "$word"
        done
        exec %s -Dregen.crashAt=%d -Dregen.crashed=%s "$@"
        """
            .formatted(everyOne, killed(), java, verb, java, java, crashAt, killed());
    Files.deleteIfExists(hookJava());
    Files.writeString(hookJava(), script);
    Files.setPosixFilePermissions(hookJava(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** From now on the front runs this shell script first, and no other that it was given before. */
  void inFront(String shell) throws IOException {
    Path conf = root.resolve("runtime.conf");
    List<String> lines = new ArrayList<>(Files.readAllLines(conf));
    lines.removeIf(line -> line.endsWith(FOR_A_TEST));
    if (!shell.isEmpty()) {
      lines.add(shell + FOR_A_TEST);
    }
    Files.write(conf, lines);
  }

  /** Whether a hook was killed since {@link #killHooks}. */
  boolean isHookKilled() {
    return Files.exists(killed());
  }

  private Path killed() {
    return root.resolve("hook-killed");
  }

  private Path hookJava() {
    return root.resolve("bin/java");
  }

  void startEngine() throws IOException, InterruptedException {
    Path log = logFile("dockerd");
    List<String> words = new ArrayList<>();
    words.addAll(
        List.of(
            "dockerd",
            "--config-file=" + root.resolve("daemon.json"),
            "--data-root=" + engineRoot(),
            "--exec-root=" + root.resolve("exec"),
            "--pidfile=" + root.resolve("docker.pid"),
            "--host=unix://" + engineSocket(),
            "--bridge=none",
            "--iptables=false"));
    if (!storageDriver.isEmpty()) {
      words.add("--storage-driver=" + storageDriver);
    }
    ProcessBuilder builder = new ProcessBuilder(place.engine(root, words));
    builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    Process process = builder.start();
    engine = process;
    await("the engine to answer", () -> docker("version").code() == 0 || !process.isAlive());
    if (!process.isAlive()) {
      throw new IOException("dockerd ended:\n" + Files.readString(log));
    }
  }

  void stopEngine() throws InterruptedException {
    stop(engine, false);
    engine = null;
  }

  /** Waits, bounded, until something holds. */
  static void await(String what, Condition condition) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited " + START_LIMIT.toSeconds() + " s for " + what);
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
    for (Path log : List.of(logFile("agent"), logFile("dockerd"), run().resolve("hook.log"))) {
      if (Files.exists(log)) {
        Files.copy(log, directory.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>();
    environment.put("REGEN_HOME", home().toString());
    environment.put("REGEN_RUN", run().toString());
    environment.put("REGEN_DATA_ROOTS", dataRoot().toString());
    environment.put("DOCKER_HOST", "unix://" + engineSocket());
    return environment;
  }

  @Override
  public void close() throws IOException {
    try {
      end();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private void end() throws IOException, InterruptedException {
    if (engine != null) {
      for (String id : docker("ps", "-aq").out().lines().toList()) {
        docker("rm", "-fv", id);
      }
    }
    stopAgent(false);
    stopEngine();
    // The engine's own mount on its data root, and the file system there.
    for (int mounts = 0; mounts < 2; mounts++) {
      Command.run(Map.of(), "umount", "-l", engineRoot().toString());
    }
    TreeRemoval.remove(root);
  }

  private void makeFileSystem(String type) throws IOException, InterruptedException {
    Path image = root.resolve("disk.img");
    Files.createDirectories(engineRoot());
    Command.run(Map.of(), "truncate", "-s", "1G", image.toString()).ok();
    Command.run(Map.of(), "mkfs." + type, "-q", image.toString()).ok();
    Command.run(Map.of(), "mount", "-o", "loop", image.toString(), engineRoot().toString()).ok();
  }

  private void installFront() throws IOException {
    Files.createDirectories(run());
    Path bin = Files.createDirectories(root.resolve("bin"));
    Path front = bin.resolve("regen-runtime");
    Files.copy(repository().resolve(FRONT), front, StandardCopyOption.REPLACE_EXISTING);
    Files.setPosixFilePermissions(front, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> conf =
        List.of(
            "REGEN_RUNC=$(command -v runc)",
            "REGEN_HOME=" + home(),
            "REGEN_RUN=" + run(),
            "REGEN_DATA_ROOTS=" + dataRoot(),
            "REGEN_JAVA=" + hookJava(),
            "REGEN_JAVA_OPTIONS='-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
                + " --enable-native-access=ALL-UNNAMED'",
            "REGEN_CLASSPATH=" + classpath);
    Files.write(root.resolve("runtime.conf"), conf);
    Files.createSymbolicLink(hookJava(), java);
    JsonObject runtime =
        new JsonObject().with("regen", new JsonObject().with("path", front.toString()));
    JsonObject daemon = place.settings().with("runtimes", runtime);
    Files.writeString(root.resolve("daemon.json"), daemon.toString());
  }

  private void importImage() throws IOException, InterruptedException {
    Path tree = root.resolve("image");
    for (String directory : List.of("bin", "etc", "tmp", "root", "lower")) {
      Files.createDirectories(tree.resolve(directory));
    }
    Files.copy(Path.of("/bin/busybox"), tree.resolve("bin/busybox"));
    Files.setPosixFilePermissions(
        tree.resolve("bin/busybox"), PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String applet : Command.run(Map.of(), "/bin/busybox", "--list").ok().split("\n", -1)) {
      Path link = tree.resolve("bin").resolve(applet);
      if (!Files.exists(link)) {
        Files.createSymbolicLink(link, Path.of("busybox"));
      }
    }
    Files.writeString(
        tree.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\nu:x:7:7::/tmp:/bin/sh\n");
    Files.writeString(tree.resolve("lower/kept"), "of the image\n");
    Files.writeString(tree.resolve("lower/deleted"), "of the image\n");
    Path tar = root.resolve("image.tar");
    Command.run(Map.of(), "tar", "-C", tree.toString(), "-cf", tar.toString(), ".").ok();
    docker("import", tar.toString(), IMAGE).ok();
    Files.delete(tar);
    TreeRemoval.remove(tree);
  }

  private Path engineSocket() {
    return root.resolve("docker.sock");
  }

  private Path logFile(String name) {
    return root.resolve(name + ".log");
  }

  /** The directory with the outermost pom.xml. */
  static Path repository() {
    Path here = Path.of("").toAbsolutePath();
    Path above = here.resolve("..").normalize();
    return Files.exists(here.resolve(FRONT)) ? here : above;
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (var names = Files.list(directory)) {
      return names.findAny().isEmpty();
    }
  }

  private static void stop(@Nullable Process process, boolean kill) throws InterruptedException {
    if (process == null) {
      return;
    }
    if (kill) {
      process.destroyForcibly();
    } else {
      process.destroy();
    }
    if (!process.waitFor(START_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
