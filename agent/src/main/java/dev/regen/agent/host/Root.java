package dev.regen.agent.host;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether this process may do everything. */
final class Root {
  private Root() {}

  static boolean is() throws IOException {
    return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
  }

  static void require(String command) throws IOException {
    if (!is()) {
      throw new RegenException.Refused(
          "'" + command + "' changes the engine's configuration; run it as root");
    }
  }
}
