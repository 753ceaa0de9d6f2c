package dev.regen.runtime.oci;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the OCI bundle says of a container.
 *
 * @param root the container's root file system on the host
 * @param mounts what is mounted into it, in order
 */
record Bundle(
    Path root,
    List<Mounted> mounts,
    List<IdRange> uidMap,
    List<IdRange> gidMap,
    Map<String, String> annotations) {
  private static final long CONFIG_MAX_BYTES = 16 << 20;
  private static final int ID_RANGES_MAX = 340;

  /**
   * A mount of the bundle.
   *
   * @param destination from the container's root
   * @param source on the host, where it is a path
   */
  record Mounted(String destination, @Nullable Path source) {
    /** Whether the mount point has to be a directory. */
    boolean isDirectory() {
      return source == null || !Files.exists(source) || Files.isDirectory(source);
    }
  }

  static Bundle read(Path directory) throws IOException {
    Path file = directory.resolve("config.json");
    JsonObject config = JsonObject.parse(new LocalDisk().read(file, CONFIG_MAX_BYTES));
    Path root = directory.resolve(config.object("root").string("path")).normalize();
    List<Mounted> mounts = new ArrayList<>();
    for (JsonObject mount : config.objects("mounts")) {
      String source = mount.stringOrNull("source");
      boolean isPath = source != null && source.startsWith("/");
      mounts.add(new Mounted(mount.string("destination"), isPath ? Path.of(source) : null));
    }
    JsonObject linux = config.objectOrNull("linux");
    return new Bundle(
        Files.exists(root) ? root.toRealPath() : root,
        mounts,
        ranges(linux, "uidMappings"),
        ranges(linux, "gidMappings"),
        strings(config.objectOrNull("annotations")));
  }

  private static List<IdRange> ranges(@Nullable JsonObject linux, String name) throws IOException {
    List<IdRange> ranges = new ArrayList<>();
    if (linux != null) {
      for (JsonObject range : linux.objects(name)) {
        ranges.add(
            new IdRange(range.number("containerID"), range.number("hostID"), range.number("size")));
      }
    }
    if (ranges.size() > ID_RANGES_MAX) {
      throw new IOException(name + " holds " + ranges.size() + " ranges; Linux allows 340");
    }
    return ranges;
  }

  static Map<String, String> strings(@Nullable JsonObject object) {
    Map<String, String> strings = new LinkedHashMap<>();
    if (object != null) {
      object
          .members()
          .forEach((name, value) -> {
            if (value instanceof String text) {
              strings.put(name, text);
            }
          });
    }
    return strings;
  }
}
