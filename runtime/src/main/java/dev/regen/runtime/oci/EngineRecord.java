package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the engine has on disk about a container; read there because no hook may call the engine.
 *
 * @param name what a person called it, or the engine; empty where the engine has no record
 * @param autoRemove {@code --rm}
 * @param startedBefore whether a process of it has ever run
 * @param anonymousVolumes where volumes without a name are mounted
 * @param notHeld what of the container is not in its writable layer, in words
 * @param spec configuration and host configuration, as the engine has them
 */
record EngineRecord(
    String name,
    Map<String, String> labels,
    String imageId,
    String imageName,
    boolean autoRemove,
    boolean startedBefore,
    List<String> anonymousVolumes,
    List<String> notHeld,
    JsonObject spec) {
  private static final long RECORD_MAX_BYTES = 16 << 20;
  private static final String PODMAN_AUTO_REMOVE = "io.podman.annotations.autoremove";
  private static final String NEVER = "0001-01-01T00:00:00Z";

  /**
   * Reads Docker's record.
   *
   * @param dataRoots where engines keep their data
   * @return null if none of them knows the container
   */
  static @Nullable EngineRecord read(List<Path> dataRoots, ContainerId container)
      throws IOException {
    for (Path root : dataRoots) {
      Path directory = root.resolve("containers").resolve(container.value());
      if (Files.isRegularFile(directory.resolve("config.v2.json"))) {
        return of(object(directory, "config.v2.json"), object(directory, "hostconfig.json"));
      }
    }
    return null;
  }

  /**
   * Whether Docker has begun to remove the container: it says so on the disk before it removes the
   * first file of its layer.
   */
  static boolean isBeingRemoved(List<Path> dataRoots, ContainerId container) throws IOException {
    for (Path root : dataRoots) {
      Path directory = root.resolve("containers").resolve(container.value());
      if (Files.isRegularFile(directory.resolve("config.v2.json"))) {
        JsonObject state = object(directory, "config.v2.json").object("State");
        return state.flag("Dead") || state.flag("RemovalInProgress");
      }
    }
    return false;
  }

  /** For engines that keep no such record: what the bundle's annotations say. */
  static EngineRecord ofAnnotations(Map<String, String> annotations) {
    return new EngineRecord(
        "",
        annotations,
        annotations.getOrDefault("regen.image", ""),
        annotations.getOrDefault("regen.image", ""),
        Boolean.parseBoolean(annotations.get("regen.rm"))
            || Boolean.parseBoolean(annotations.get(PODMAN_AUTO_REMOVE)),
        false,
        List.of(),
        List.of("volumes and mounts", "memory of its processes"),
        new JsonObject());
  }

  private static EngineRecord of(JsonObject record, JsonObject host) throws IOException {
    JsonObject config = record.object("Config");
    JsonObject state = record.object("State");
    String name = record.string("Name");
    List<String> anonymous = new ArrayList<>();
    List<String> notHeld = notHeld(record, host, anonymous);
    return new EngineRecord(
        name.startsWith("/") ? name.substring(1) : name,
        Bundle.strings(config.objectOrNull("Labels")),
        record.string("Image"),
        config.string("Image"),
        host.flag("AutoRemove"),
        record.flag("HasBeenStartedBefore")
            || (state.has("StartedAt") && !state.string("StartedAt").equals(NEVER)),
        anonymous,
        notHeld,
        new JsonObject().with("name", name).with("config", config).with("hostConfig", host));
  }

  private static List<String> notHeld(JsonObject record, JsonObject host, List<String> anonymous)
      throws IOException {
    List<String> notHeld = new ArrayList<>();
    JsonObject mounts = record.objectOrNull("MountPoints");
    if (mounts != null) {
      for (String at : mounts.members().keySet()) {
        JsonObject mount = mounts.object(at);
        String type = mount.stringOrNull("Type");
        String volume = mount.stringOrNull("Name");
        if ("volume".equals(type) && volume != null && volume.matches("[0-9a-f]{64}")) {
          anonymous.add(at);
          notHeld.add("anonymous volume at " + at);
        } else if ("volume".equals(type)) {
          notHeld.add("volume " + volume + " at " + at);
        } else {
          notHeld.add((type == null ? "mount" : type) + " at " + at);
        }
      }
    }
    JsonObject tmpfs = host.objectOrNull("Tmpfs");
    if (tmpfs != null) {
      tmpfs.members().keySet().forEach(at -> notHeld.add("tmpfs at " + at));
    }
    notHeld.add("memory of its processes");
    return notHeld;
  }

  private static JsonObject object(Path directory, String name) throws IOException {
    return JsonObject.parse(new LocalDisk().read(directory.resolve(name), RECORD_MAX_BYTES));
  }
}
