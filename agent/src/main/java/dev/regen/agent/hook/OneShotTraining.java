package dev.regen.agent.hook;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The hooks of a container that exists in a scratch directory alone, one run after the other, so
 * that the JDK can keep what they load. Run by {@code regen install}; needs root, for the overlay
 * mounts.
 */
public final class OneShotTraining {
  private static final List<String> LAYER = List.of("image", "diff", "work", "merged");

  private final Path scratch;
  private final Map<String, String> environment;

  private OneShotTraining(Path scratch) {
    this.scratch = scratch;
    this.environment =
        Map.of(
            "REGEN_HOME", scratch.resolve("home").toString(),
            "REGEN_RUN", scratch.resolve("run").toString());
  }

  /** Argument: an empty directory, which is left with garbage in it and nothing mounted. */
  public static void main(String[] args) throws IOException {
    System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
    OneShotTraining training = new OneShotTraining(Path.of(args[0]));
    training.run("1");
    // This one finds what the first has left and nobody has archived.
    training.run("2");
  }

  private void run(String digit) throws IOException {
    String id = digit.repeat(64);
    Path layer = scratch.resolve("docker/overlay2").resolve(id);
    for (String directory : LAYER) {
      Files.createDirectories(layer.resolve(directory));
    }
    Path merged = layer.resolve("merged");
    Path bundle = describe(id, merged);
    String options =
        "lowerdir=%s,upperdir=%s,workdir=%s"
            .formatted(layer.resolve("image"), layer.resolve("diff"), layer.resolve("work"));
    Mount.mount("overlay", merged, "overlay", 0, Fd.bytes(options));
    try {
      call("create", id, bundle);
      Files.writeString(merged.resolve("file-" + digit), "written by the container");
      Path record = scratch.resolve("home/runs").resolve(id);
      if (Files.isDirectory(record)) {
        Files.createFile(record.resolve("started"));
      }
      call("delete", id, bundle);
    } finally {
      while (MountTable.read().at(merged) != null) {
        Mount.detach(merged);
      }
    }
  }

  /** Writes what engine and shim would have written. */
  private Path describe(String id, Path merged) throws IOException {
    Path record = Files.createDirectories(scratch.resolve("docker/containers").resolve(id));
    JsonObject config =
        new JsonObject()
            .with("Name", "/training")
            .with("Image", "sha256:" + "0".repeat(64))
            .with("Config", new JsonObject().with("Image", "none").with("Labels", new JsonObject()))
            .with("State", new JsonObject())
            .with("MountPoints", new JsonObject());
    Files.write(record.resolve("config.v2.json"), config.bytes());
    Files.write(
        record.resolve("hostconfig.json"), new JsonObject().with("AutoRemove", true).bytes());
    Path bundle = Files.createDirectories(scratch.resolve("bundles").resolve(id));
    JsonObject spec =
        new JsonObject()
            .with("root", new JsonObject().with("path", merged.toString()))
            .with("mounts", List.of());
    Files.write(bundle.resolve("config.json"), spec.bytes());
    return bundle;
  }

  private void call(String verb, String id, Path bundle) throws IOException {
    String[] arguments = {
      scratch.resolve("docker").toString(), verb, id, bundle.toString(), "/run/no-runc", ""
    };
    OneShot.call(new LocalDisk(), arguments, environment);
  }
}
