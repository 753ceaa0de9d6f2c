package dev.regen.runtime.os;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The permissions that this process makes nothing with. */
public final class Umask {
  private static final String LINE = "Umask:";
  private static final int ALL = 0777;

  private Umask() {}

  /** As the kernel tells it; all permissions where it does not. */
  public static int current() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(LINE)) {
          return Integer.parseInt(line.substring(LINE.length()).strip(), 8);
        }
      }
      return ALL; // before Linux 4.7
    } catch (IOException | NumberFormatException e) {
      return ALL;
    }
  }
}
