package dev.regen.runtime.docker;

import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

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
  private static final Duration POLL = Duration.ofMillis(100);

  /** Whether {@code host} is a socket of a host where systemd runs and no engine does. */
  boolean wouldStart(URI host) {
    try {
      return "unix".equals(host.getScheme()) && Files.isDirectory(systemd) && engines().isEmpty();
    } catch (IOException e) {
      // Better an engine that is started than one that is never found.
      return false;
    }
  }

  /**
   * Waits, where systemd runs, until the engines are gone that run now, at most {@code limit}: one
   * that is being stopped has closed its connections long before it ends, and a new one would have
   * systemd start it again.
   */
  void awaitEngineEnd(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      Set<Path> before = Files.isDirectory(systemd) ? engines() : Set.of();
      while (!Collections.disjoint(before, engines()) && System.nanoTime() < deadline) {
        Thread.sleep(POLL);
      }
    } catch (IOException e) {
      // Then it is as if nobody had waited.
    }
  }

  private Set<Path> engines() throws IOException {
    Set<Path> engines = new HashSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path process : all) {
        if (isEngine(process)) {
          engines.add(process);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return engines;
  }

  private static boolean isEngine(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip().equals(ENGINE);
    } catch (IOException e) {
      return false; // It ended while we looked.
    }
  }
}
