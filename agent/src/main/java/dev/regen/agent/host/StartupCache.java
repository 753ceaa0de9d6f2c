package dev.regen.agent.host;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's ahead-of-time caches: classes loaded and linked once, at installation, so that a
 * command starts in a fraction of the time. A cache fits one JDK and one class path; the JDK goes
 * without one that does not fit.
 */
final class StartupCache {
  private static final int LIMIT_SECONDS = 120;

  private final Path java;
  private final List<Path> classPath;

  StartupCache(Path java, List<Path> classPath) {
    this.java = java;
    this.classPath = classPath;
  }

  /**
   * Runs a program once and keeps what it loaded.
   *
   * @param cache the file to make; one that is there is used as it is
   * @param options what the program is run with, now and later
   * @param program main class and arguments; it may fail, as long as it ends
   * @param environment added to this process's own
   * @return null, or why there is no cache
   */
  @Nullable String make(
      Path cache, List<String> options, List<String> program, Map<String, String> environment)
      throws IOException, InterruptedException {
    if (Files.isRegularFile(cache)) {
      return null;
    }
    List<String> command = new ArrayList<>(List.of(java.toString()));
    command.addAll(options);
    command.add("-XX:AOTCacheOutput=" + cache);
    command.addAll(List.of("-cp", joined(classPath)));
    command.addAll(program);
    Path log = Files.createTempFile("regen-cache", ".log");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
      builder.environment().putAll(environment);
      builder.redirectInput(new File("/dev/null"));
      Process process = builder.start();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        Files.deleteIfExists(cache);
        return "it took longer than " + LIMIT_SECONDS + " s";
      }
      return Files.isRegularFile(cache) ? null : lastLine(log);
    } finally {
      Files.delete(log);
    }
  }

  static String joined(List<Path> classPath) {
    return String.join(":", classPath.stream().map(Path::toString).toList());
  }

  private static String lastLine(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log);
    return lines.isEmpty() ? "the JDK made none and said nothing" : lines.getLast();
  }
}
