package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Signals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A container's processes, as runc's own state and the kernel's control groups tell.
 *
 * @param state runc's {@code state.json}, null where runc has none
 */
record Processes(@Nullable JsonObject state) {
  private static final long STATE_MAX_BYTES = 16 << 20;
  private static final int POLL_MILLIS = 5;
  private static final int START_TIME_FIELD = 21;
  private static final int GROUPS_MAX = 10_000;

  static Processes of(Path runcRoot, ContainerId container) throws IOException {
    Path file = runcRoot.resolve(container.value()).resolve("state.json");
    try {
      return new Processes(JsonObject.parse(new LocalDisk().read(file, STATE_MAX_BYTES)));
    } catch (NoSuchFileException e) {
      return new Processes(null);
    }
  }

  /** Whether the container's first process lives: the same pid, begun at the same time. */
  boolean alive() throws IOException {
    if (state == null) {
      return false;
    }
    try {
      String stat =
          Files.readString(Path.of("/proc/" + state.number("init_process_pid") + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      boolean zombie = fields[0].equals("Z") || fields[0].equals("X");
      return !zombie
          && Long.parseLong(fields[START_TIME_FIELD - 2]) == state.number("init_process_start");
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /**
   * Kills every process in the container's control group and waits until the last has gone.
   *
   * @throws IOException if some are still there after {@code limit}
   */
  void kill(Duration limit) throws IOException {
    Path group = group("devices", "pids", "memory", "freezer");
    if (group == null) {
      return;
    }
    long deadline = System.nanoTime() + limit.toNanos();
    List<Integer> living = pids(group);
    while (!living.isEmpty()) {
      for (int pid : living) {
        Signals.send(pid, Signals.KILL);
      }
      if (System.nanoTime() > deadline) {
        throw new IOException(living.size() + " processes in " + group + " do not die");
      }
      pause();
      living = pids(group);
    }
  }

  /** Whether the kernel killed a process of the container for want of memory. */
  boolean outOfMemory() throws IOException {
    Path group = group("memory");
    if (group == null) {
      return false;
    }
    for (String file : List.of("memory.events", "memory.oom_control")) {
      Path counts = group.resolve(file);
      if (Files.isRegularFile(counts)) {
        return Files.readAllLines(counts).stream()
            .anyMatch(line -> line.startsWith("oom_kill ") && !line.equals("oom_kill 0"));
      }
    }
    return false;
  }

  /** The group's directory: of one of the controllers of version 1, else of version 2. */
  private @Nullable Path group(String... controllers) throws IOException {
    JsonObject paths = state == null ? null : state.objectOrNull("cgroup_paths");
    if (paths == null) {
      return null;
    }
    List<String> names = new ArrayList<>(List.of(controllers));
    names.add("");
    for (String name : names) {
      String path = paths.stringOrNull(name);
      if (path != null && Files.isDirectory(Path.of(path))) {
        return Path.of(path);
      }
    }
    return null;
  }

  private static List<Integer> pids(Path group) throws IOException {
    List<Integer> pids = new ArrayList<>();
    try (Stream<Path> groups = Files.walk(group).filter(Files::isDirectory).limit(GROUPS_MAX)) {
      for (Path each : (Iterable<Path>) groups::iterator) {
        for (String line : read(each.resolve("cgroup.procs")).split("\n", -1)) {
          if (!line.isEmpty()) {
            pids.add(Integer.parseInt(line));
          }
        }
      }
    }
    return pids;
  }

  private static String read(Path file) throws IOException {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.US_ASCII);
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
