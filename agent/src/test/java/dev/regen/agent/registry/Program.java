package dev.regen.agent.registry;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Somebody else's program, as it is installed here, with some environment of its own. */
record Program(Map<String, String> environment) {
  private static final int LIMIT_SECONDS = 600;

  /** What a program printed to both its outputs, and its exit code. */
  record Ran(List<String> words, int code, String text) {
    /** What one printed that went well. */
    String ok() {
      if (code != 0) {
        throw new AssertionError(words + ": exit code " + code + "\n" + text);
      }
      return text.strip();
    }

    /** The last line of {@link #ok}: what many programs print their result as. */
    String last() {
      return ok().lines().toList().getLast().strip();
    }
  }

  static Program plain() {
    return new Program(Map.of());
  }

  Program with(String variable, Path value) {
    Map<String, String> all = new LinkedHashMap<>(environment);
    all.put(variable, value.toString());
    return new Program(all);
  }

  /** Runs it to its end. */
  Ran run(String... words) throws IOException, InterruptedException {
    Path printed = Files.createTempFile("regen-client", ".txt");
    try {
      Process process = start(printed, words);
      try {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
          throw new AssertionError(List.of(words) + " ran longer than " + LIMIT_SECONDS + " s");
        }
      } finally {
        process.destroyForcibly();
      }
      return new Ran(List.of(words), process.exitValue(), Files.readString(printed));
    } finally {
      Files.delete(printed);
    }
  }

  /** Starts it, for somebody who ends it. */
  Process start(Path printed, String... words) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return builder
        .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
        .redirectOutput(printed.toFile())
        .start();
  }
}
