package dev.regen.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a command to its end, bounded. */
record Command(List<String> words, Map<String, String> environment) {
  private static final int LIMIT_SECONDS = 120;

  /** What a command printed, and its exit code. */
  record Result(int code, String out, String err) {
    /** The output of a command that went well. */
    String ok() {
      if (code != 0) {
        throw new AssertionError("exit code " + code + "\n" + out + err);
      }
      return out.strip();
    }
  }

  static Result run(Map<String, String> environment, String... words)
      throws IOException, InterruptedException {
    return new Command(List.of(words), environment).run();
  }

  Result run() throws IOException, InterruptedException {
    Path out = Files.createTempFile("regen-e2e", ".out");
    Path err = Files.createTempFile("regen-e2e", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(words);
      builder.environment().putAll(environment);
      builder.redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
      Process process = builder.start();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(words + " ran longer than " + LIMIT_SECONDS + " s");
      }
      return new Result(process.exitValue(), text(out), text(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
