package dev.regen.agent.host;

import dev.regen.runtime.os.Signals;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The running {@code dockerd} of this host.
 *
 * @param pid its process id
 * @param arguments its command line
 */
record EngineProcess(int pid, List<String> arguments) {
  private static final Path PID_FILE = Path.of("/run/docker.pid");
  private static final Path USUAL_FILE = Path.of("/etc/docker/daemon.json");
  private static final int HANGUP = 1;

  /**
   * Finds it by its pid file, or as the only one there is.
   *
   * @throws RegenException.Refused if none runs, or several do and none is the usual one
   */
  static EngineProcess find() throws IOException {
    List<EngineProcess> all = all();
    long usual = usualPid();
    for (EngineProcess process : all) {
      if (process.pid() == usual || all.size() == 1) {
        return process;
      }
    }
    throw new RegenException.Refused(
        all.isEmpty()
            ? "no dockerd runs on this host; start it and try again"
            : all.size() + " dockerd run on this host and none is named by " + PID_FILE);
  }

  /** The configuration that this engine reads. */
  Path configuration() {
    String named = option("--config-file");
    return named == null ? USUAL_FILE : Path.of(named);
  }

  /** Has it read its configuration again; containers go on. */
  void reload() throws IOException {
    if (!Signals.send(pid, HANGUP)) {
      throw new RegenException.Refused("dockerd, process " + pid + ", has just ended");
    }
  }

  private @Nullable String option(String name) {
    for (int i = 1; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (argument.startsWith(name + "=")) {
        return argument.substring(name.length() + 1);
      }
      if (argument.equals(name) && i + 1 < arguments.size()) {
        return arguments.get(i + 1);
      }
    }
    return null;
  }

  private static List<EngineProcess> all() throws IOException {
    List<EngineProcess> found = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        try {
          if (Files.readString(process.resolve("comm")).strip().equals("dockerd")
              && isOurs(process)) {
            found.add(
                new EngineProcess(
                    Integer.parseInt(process.getFileName().toString()), arguments(process)));
          }
        } catch (IOException e) {
          // It ended while we looked.
        }
      }
    }
    return found;
  }

  /** Not one inside a container. */
  private static boolean isOurs(Path process) throws IOException {
    return Files.readSymbolicLink(process.resolve("ns/pid"))
        .equals(Files.readSymbolicLink(Path.of("/proc/self/ns/pid")));
  }

  private static List<String> arguments(Path process) throws IOException {
    String line = Files.readString(process.resolve("cmdline"), StandardCharsets.UTF_8);
    return List.of(line.split("\0", -1));
  }

  private static long usualPid() throws IOException {
    if (!Files.exists(PID_FILE)) {
      return -1;
    }
    String text = Files.readString(PID_FILE).strip();
    return text.matches("[0-9]{1,9}") ? Long.parseLong(text) : -1;
  }
}
