package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code regen manager} as a process of its own, with what an installed one is given.
 *
 * @param host as it stands in front of an image's name
 */
public record ManagerProcess(Process process, String host) implements AutoCloseable {
  /**
   * Starts one on 127.0.0.1.
   *
   * @param before words in front of the command
   * @param store as {@code --store} takes it
   * @param port 0 for a free one; that of one that has just ended
   */
  public static ManagerProcess start(List<String> before, String store, int port)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms16m",
            "-XX:NewRatio=1",
            "-XX:MinHeapFreeRatio=10",
            "-XX:MaxHeapFreeRatio=20",
            "-XX:-ShrinkHeapInSteps",
            "-XX:TrimNativeHeapInterval=10000",
            "-XX:ReservedCodeCacheSize=48m",
            "-Xmx256m",
            "-XX:MaxDirectMemorySize=128m",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.regen.agent.Main",
            "manager",
            "--listen",
            "127.0.0.1:" + port,
            "--store",
            store));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    Process process = builder.start();
    BufferedReader said =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = said.readLine();
    assertThat(line).as("what the manager says first").contains(" listens on ");
    URI uri = URI.create(line.substring(line.lastIndexOf(' ') + 1).strip());
    return new ManagerProcess(process, uri.getAuthority());
  }

  static ManagerProcess start(Path store) throws IOException {
    return start(List.of(), "dir:" + store, 0);
  }

  /** {@code kill -9}, and another one in its place. */
  ManagerProcess killAndStart(Path store) throws IOException {
    int port = Integer.parseInt(host.substring(host.lastIndexOf(':') + 1));
    process.destroyForcibly();
    close();
    return start(List.of(), "dir:" + store, port);
  }

  /** The most memory that it ever had. */
  long peakKibibytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    process.destroy();
    process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
  }
}
