package dev.regen.e2e;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process that runs until it is stopped; what it says is added to a log. */
record Daemon(Process process) {
  private static final Duration END_LIMIT = Duration.ofSeconds(60);

  /**
   * @param environment variables beside those of the test
   */
  static Daemon start(List<String> words, Map<String, String> environment, Path log)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().putAll(environment);
    builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    return new Daemon(builder.start());
  }

  boolean alive() {
    return process.isAlive();
  }

  /**
   * Ends it: asked to with {@code TERM}, or by {@code KILL}, as it is in any case if that fails.
   */
  void stop(boolean kill) throws InterruptedException {
    if (kill) {
      process.destroyForcibly();
    } else {
      process.destroy();
    }
    if (!process.waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }

  /** Waits until it has ended by itself. */
  void awaitEnd() throws InterruptedException {
    if (!process.waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError(process.info().command() + " still runs");
    }
  }
}
