package dev.regen.agent.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@code podman} with images and a login of its own. */
record Podman(Path directory) implements AutoCloseable {
  Podman {
    try {
      Files.writeString(Files.createDirectories(directory).resolve("auth.json"), "{}");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Program.Ran run(String... words) throws IOException, InterruptedException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "podman",
                "--root=" + directory.resolve("root"),
                "--runroot=" + directory.resolve("run"),
                "--storage-driver=vfs",
                "--cgroup-manager=cgroupfs"));
    all.addAll(List.of(words));
    return Program.plain()
        .with("REGISTRY_AUTH_FILE", directory.resolve("auth.json"))
        .run(all.toArray(String[]::new));
  }

  @Override
  public void close() throws IOException {
    try {
      run("rmi", "--all", "--force");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
