package dev.regen.snapshot.layer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Runs other programs, as makers of trees and as judges of archives. */
final class Tool {
  private static final int SECONDS_MAX = 120;

  private Tool() {}

  /** Runs a script of {@code bash} in {@code directory}; its output, bytes as characters. */
  static String bash(Path directory, String script) throws IOException {
    Process process =
        new ProcessBuilder("bash", "-euo", "pipefail", "-c", script)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    try {
      if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("still running: " + script);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    if (process.exitValue() != 0) {
      throw new IOException(script + "\nended with " + process.exitValue() + ": " + output);
    }
    return output;
  }

  /** Runs a script of Python in {@code directory}: many steps in little time. */
  static void python(Path directory, String script) throws IOException {
    var _ = bash(directory, "python3 -c \"import os\n" + script + "\"");
  }

  static boolean isRoot() throws IOException {
    return bash(Path.of("/"), "id -u").strip().equals("0");
  }
}
