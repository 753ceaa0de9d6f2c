package dev.regen.agent.host;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.os.NativeLibrary;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What each of Regen's processes is started with.
 *
 * @param hook the one-shot process of a hook, where no agent answers
 * @param commandLine a command
 * @param agent the resident agent
 */
record JvmOptions(List<String> hook, List<String> commandLine, List<String> agent) {
  /** Warnings of the JVM itself would otherwise go to standard output, amid a command's answer. */
  private static final List<String> ALL =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:-UsePerfData",
          "-Xlog:disable",
          "-Xlog:all=error:stderr",
          "--enable-native-access=ALL-UNNAMED");

  private static final List<String> SHORT = List.of("-XX:TieredStopAtLevel=1", "-Xmx128m");

  /** At most 150 MB resident at rest, and 400 MB while capturing. */
  private static final List<String> RESIDENT =
      List.of(
          "-Xms16m",
          // What is on its way to a store is garbage soon; a small young generation would promote
          // it.
          "-XX:NewRatio=1",
          "-Xmx160m",
          "-XX:MinHeapFreeRatio=10",
          "-XX:MaxHeapFreeRatio=20",
          "-XX:-ShrinkHeapInSteps",
          // Compressing leaves malloc's arenas full of holes; at rest they are given back.
          "-XX:TrimNativeHeapInterval=10000",
          // Four times the JVM's own: what a transfer of some seconds uses is not worth compiling
          // twice. Measured with one of 1 GB, it saves 8 % of the processor time.
          "-XX:Tier4InvocationThreshold=20000",
          "-XX:Tier4MinInvocationThreshold=2400",
          "-XX:Tier4CompileThreshold=60000",
          "-XX:Tier4BackEdgeThreshold=160000",
          "-XX:ReservedCodeCacheSize=48m",
          "-XX:MaxDirectMemorySize=96m",
          "-XX:+ExitOnOutOfMemoryError");

  /**
   * Makes the start-up caches beside the jars, where they are missing.
   *
   * @param say hears how long that took, or why a cache could not be made; everything works
   *     without, only slower
   */
  static JvmOptions prepare(Path java, List<Path> jars, Consumer<String> say)
      throws IOException, InterruptedException {
    StartupCache caches = new StartupCache(java, jars);
    Path directory = jars.getFirst().resolveSibling("");
    Path scratch = Files.createTempDirectory("regen-training");
    List<String> all = joined(ALL, nativeLibrary(directory));
    Map<String, String> nowhere =
        Map.of(
            "REGEN_HOME", scratch.resolve("home").toString(),
            "REGEN_RUN", scratch.resolve("run").toString());
    List<String> brief = joined(all, SHORT);
    List<String> hook = new ArrayList<>(brief);
    List<String> commandLine = new ArrayList<>(brief);
    List<String> agent = joined(all, RESIDENT);
    try {
      Path layers = Files.createDirectory(scratch.resolve("training"));
      List<String> hooks = List.of("dev.regen.agent.hook.OneShotTraining", layers.toString());
      use(caches, directory, "hook", hook, hooks, nowhere, say);
      List<String> list = List.of("dev.regen.agent.Main", "ls");
      use(caches, directory, "cli", commandLine, list, nowhere, say);
      Path home = Files.createDirectory(scratch.resolve("agent"));
      List<String> ends = List.of("dev.regen.agent.AgentTraining", home.toString());
      use(caches, directory, "agent", agent, ends, nowhere, say);
    } finally {
      TreeRemoval.remove(scratch);
    }
    return new JvmOptions(hook, commandLine, agent);
  }

  /** Puts it beside the jars, whose digests name the directory. */
  private static List<String> nativeLibrary(Path directory) throws IOException {
    byte[] content = NativeLibrary.content();
    if (content == null) {
      return List.of();
    }
    Path file = directory.resolve(NativeLibrary.FILE);
    if (!Files.exists(file)) {
      WholeFile.replace(
          new LocalDisk(),
          file,
          content,
          unfinished ->
              Files.setPosixFilePermissions(
                  unfinished, PosixFilePermissions.fromString("rw-r--r--")));
    }
    return NativeLibrary.options(directory);
  }

  private static void use(
      StartupCache caches,
      Path directory,
      String name,
      List<String> options,
      List<String> program,
      Map<String, String> environment,
      Consumer<String> say)
      throws IOException, InterruptedException {
    Path cache = directory.resolve(name + "-" + Runtime.version() + ".aot");
    boolean there = Files.exists(cache);
    long begin = System.nanoTime();
    String failure = caches.make(cache, options, program, environment);
    if (failure != null) {
      say.accept("no start-up cache for " + name + ": " + failure + "; it starts slower");
      return;
    }
    if (!there) {
      long millis = (System.nanoTime() - begin) / 1_000_000;
      say.accept("start-up cache for " + name + " made in " + millis + " ms");
    }
    options.add("-XX:AOTCache=" + cache);
  }

  private static List<String> joined(List<String> one, List<String> other) {
    List<String> all = new ArrayList<>(one);
    all.addAll(other);
    return all;
  }
}
