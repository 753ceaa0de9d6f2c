package dev.regen.runtime.docker;

import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether a connection would start the engine. Where systemd holds the engine's socket it does, so
 * that an engine which somebody stopped would not stay so.
 *
 * @param processes {@code /proc}
 * @param systemd there while systemd runs
 */
record SocketActivation(Path processes, Path systemd) {
  static final SocketActivation OF_THIS_HOST =
      new SocketActivation(Path.of("/proc"), Path.of("/run/systemd/system"));

  private static final String ENGINE = "dockerd";

  /** Whether {@code host} is a socket of a host where systemd runs and no engine does. */
  boolean wouldStart(URI host) {
    return "unix".equals(host.getScheme()) && Files.isDirectory(systemd) && !engineRuns();
  }

  private boolean engineRuns() {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path process : all) {
        if (isEngine(process)) {
          return true;
        }
      }
      return false;
    } catch (IOException | DirectoryIteratorException e) {
      // Better an engine that is started than one that is never found.
      return true;
    }
  }

  private static boolean isEngine(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip().equals(ENGINE);
    } catch (IOException e) {
      return false; // It ended while we looked.
    }
  }
}
