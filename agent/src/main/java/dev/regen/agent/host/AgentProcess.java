package dev.regen.agent.host;

import dev.regen.runtime.os.Signals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

/** The agent that runs on this host, known by its pid file. */
final class AgentProcess {
  private static final int TERM = 15;
  private static final Duration STEP = Duration.ofMillis(100);

  private AgentProcess() {}

  /** Its process id, or 0 if none runs; a pid file that names some other process counts as none. */
  static int running(Path pidFile) throws IOException {
    try {
      String text = Files.readString(pidFile).lines().findFirst().orElse("").strip();
      if (!text.matches("[1-9][0-9]{0,8}")) {
        return 0;
      }
      String line =
          Files.readString(Path.of("/proc", text, "cmdline"), StandardCharsets.ISO_8859_1);
      return line.contains("dev.regen.agent.Main") ? Integer.parseInt(text) : 0;
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  /**
   * Ends it.
   *
   * @return whether it is gone within {@code limit}; it may still be finishing what it is at
   */
  static boolean end(Path pidFile, Duration limit) throws IOException, InterruptedException {
    int pid = running(pidFile);
    if (pid == 0) {
      return true;
    }
    Signals.send(pid, TERM);
    for (Duration waited = Duration.ZERO; waited.compareTo(limit) < 0; waited = waited.plus(STEP)) {
      if (running(pidFile) != pid) {
        return true;
      }
      Thread.sleep(STEP);
    }
    return false;
  }
}
