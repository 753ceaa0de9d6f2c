package dev.regen.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.store.PackedChunkStore;
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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** {@code regen storage} as a process of its own. */
public final class StorageProcess implements AutoCloseable {
  private final Process process;
  private final URI uri;

  private StorageProcess(Process process, URI uri) {
    this.process = process;
    this.uri = uri;
  }

  /** Starts a server on a free port. */
  public static StorageProcess start(Path directory) throws IOException {
    return start(directory, 0);
  }

  /** Starts a server on this port, which another one may just have left. */
  public static StorageProcess start(Path directory, int port) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(
        List.of(
            "-Xmx160m",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.regen.agent.Main",
            "storage",
            "--listen",
            "127.0.0.1:" + port,
            "--dir",
            directory.toString()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader said =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = said.readLine();
    assertThat(line).as("what the server says first").contains(" listens on ");
    return new StorageProcess(
        process, URI.create(line.substring(line.lastIndexOf(' ') + 1).strip()));
  }

  public URI uri() {
    return uri;
  }

  HttpStore client() {
    return new HttpStore(uri, HttpStore.Options.DEFAULT);
  }

  /** {@code kill -9}. */
  public void kill() {
    process.destroyForcibly();
    close();
  }

  @Override
  public void close() {
    process.destroy();
    process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** How many chunks lie in a store's directory, those among them that share files. */
  public static int chunkCount(Path directory) throws IOException {
    AtomicInteger count = new AtomicInteger();
    new PackedChunkStore(new LocalDisk(), directory.resolve("chunks"))
        .list(_ -> count.incrementAndGet());
    return count.get();
  }

  /** The files below a store's directory that hold one chunk, by its name: the large chunks. */
  public static List<Path> chunkFiles(Path directory) throws IOException {
    Path chunks = directory.resolve("chunks/sha256");
    if (!Files.exists(chunks)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(chunks)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
