package dev.regen.e2e;

import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The Docker engine of a {@link Host}: its process, its data, its image. */
final class HostEngine {
  private final Path root;
  private final Place place;
  private final String storageDriver;
  private @Nullable Daemon engine;

  HostEngine(Path root, Place place, String storageDriver) {
    this.root = root;
    this.place = place;
    this.storageDriver = storageDriver;
  }

  Path dataRoot() {
    return place.dataRoot(data());
  }

  String address() {
    return "unix://" + root.resolve("docker.sock");
  }

  Path log() {
    return root.resolve("dockerd.log");
  }

  /** The words that run {@code docker} against it. */
  List<String> words(String... arguments) {
    List<String> words = new ArrayList<>(List.of("docker", "-H", address()));
    words.addAll(List.of(arguments));
    return words;
  }

  Command.Result docker(String... arguments) throws IOException, InterruptedException {
    return new Command(words(arguments), Map.of()).run();
  }

  /** The words that run a command where Regen is, which may be inside the engine's root. */
  List<String> inside(List<String> words) {
    return engine == null ? words : place.inside(engine.process().pid(), words);
  }

  /** The words that run a command of the machine's where the engine's 127.0.0.1 is. */
  List<String> inNetwork(List<String> words) {
    if (engine == null) {
      throw new IllegalStateException("the engine does not run");
    }
    List<String> all =
        new ArrayList<>(List.of("nsenter", "--target=" + engine.process().pid(), "--net", "--"));
    all.addAll(words);
    return all;
  }

  /** Makes its data lie in a file system of its own, in a file; before the first start. */
  void makeFileSystem(String type) throws IOException, InterruptedException {
    Path image = root.resolve("disk.img");
    Files.createDirectories(data());
    Command.run(Map.of(), "truncate", "-s", "1G", image.toString()).ok();
    Command.run(Map.of(), "mkfs." + type, "-q", image.toString()).ok();
    Command.run(Map.of(), "mount", "-o", "loop", image.toString(), data().toString()).ok();
  }

  void start() throws IOException, InterruptedException {
    List<String> words = new ArrayList<>();
    words.addAll(
        List.of(
            "dockerd",
            "--config-file=" + root.resolve("daemon.json"),
            "--data-root=" + data(),
            "--exec-root=" + root.resolve("exec"),
            "--pidfile=" + root.resolve("docker.pid"),
            "--host=" + address(),
            "--bridge=none",
            "--iptables=false"));
    if (!storageDriver.isEmpty()) {
      words.add("--storage-driver=" + storageDriver);
    }
    Daemon started = Daemon.start(place.engine(root, words), Map.of(), log());
    engine = started;
    Host.await("the engine to answer", () -> docker("version").code() == 0 || !started.alive());
    if (!started.alive()) {
      throw new IOException("dockerd ended:\n" + Files.readString(log()));
    }
  }

  void stop() throws InterruptedException {
    if (engine != null) {
      engine.stop(false);
    }
    engine = null;
  }

  void removeContainers() throws IOException, InterruptedException {
    if (engine != null) {
      for (String id : docker("ps", "-aq").out().lines().toList()) {
        docker("rm", "-fv", id);
      }
    }
  }

  /** Takes its own mount off its data, and the file system there; after it was stopped. */
  void unmount() throws IOException, InterruptedException {
    for (int mounts = 0; mounts < 2; mounts++) {
      Command.run(Map.of(), "umount", "-l", data().toString());
    }
  }

  /** Makes the image of busybox, two users and two files that tests keep and delete. */
  void importImage(String name) throws IOException, InterruptedException {
    Path tree = root.resolve("image");
    for (String directory : List.of("bin", "etc", "tmp", "root", "lower")) {
      Files.createDirectories(tree.resolve(directory));
    }
    Files.copy(Path.of("/bin/busybox"), tree.resolve("bin/busybox"));
    Files.setPosixFilePermissions(
        tree.resolve("bin/busybox"), PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String applet : Command.run(Map.of(), "/bin/busybox", "--list").ok().split("\n", -1)) {
      Path link = tree.resolve("bin").resolve(applet);
      if (!Files.exists(link)) {
        Files.createSymbolicLink(link, Path.of("busybox"));
      }
    }
    Files.writeString(
        tree.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\nu:x:7:7::/tmp:/bin/sh\n");
    Files.writeString(tree.resolve("lower/kept"), "of the image\n");
    Files.writeString(tree.resolve("lower/deleted"), "of the image\n");
    Path tar = root.resolve("image.tar");
    Command.run(Map.of(), "tar", "-C", tree.toString(), "-cf", tar.toString(), ".").ok();
    docker("import", tar.toString(), name).ok();
    Files.delete(tar);
    TreeRemoval.remove(tree);
  }

  private Path data() {
    return root.resolve("docker");
  }
}
