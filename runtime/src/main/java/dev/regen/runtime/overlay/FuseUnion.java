package dev.regen.runtime.overlay;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A union that the process fuse-overlayfs makes. The mount table does not tell its layers; the
 * files that Docker's driver of that name keeps beside the mount point do.
 *
 * <p>The process remembers what it has seen in its layers, keeps its upper open wherever that goes,
 * and cannot be told to look again; only the engine mounts it afresh. So a tree is put in through
 * it, and nothing may start on it once its upper was changed or exchanged under it.
 *
 * @param mountPoint where the union is seen
 * @param upper the writable layer
 * @param lowers the layers below, the topmost first
 */
public record FuseUnion(Path mountPoint, Path upper, List<Path> lowers) implements ContainerRoot {
  private static final String TYPE = "fuse.fuse-overlayfs";
  private static final int LOWERS_MAX_BYTES = 64 * 1024;

  public FuseUnion {
    lowers = List.copyOf(lowers);
  }

  /**
   * The union of fuse-overlayfs mounted at {@code mountPoint}, or null where something else is.
   *
   * @throws IOException if its layers are not found beside it
   */
  public static @Nullable FuseUnion at(Path mountPoint) throws IOException {
    if (!isAt(mountPoint)) {
      return null;
    }
    Path upper = mountPoint.resolveSibling("diff");
    Path layers = mountPoint.resolveSibling("lower");
    Path store = Objects.requireNonNull(mountPoint.resolve("../..").normalize(), "store");
    if (!Files.isDirectory(upper)) {
      throw new IOException(
          mountPoint + " is of type " + TYPE + ", and its writable layer is not beside it");
    }
    List<Path> lowers = new ArrayList<>();
    if (Fd.statIfThere(layers) != null) {
      byte[] names = new LocalDisk().read(layers, LOWERS_MAX_BYTES);
      for (String name : new String(names, StandardCharsets.UTF_8).strip().split(":", -1)) {
        lowers.add(store.resolve(name));
      }
    }
    return new FuseUnion(mountPoint, upper, lowers);
  }

  @Override
  public boolean isMounted() throws IOException {
    return isAt(mountPoint);
  }

  /**
   * Links the upper to {@code to}, without what the process noted in it.
   *
   * @throws LinkedTree.TooLong when {@code limit} is over; {@code to} then holds a part
   */
  public void link(Path to, Duration limit) throws IOException {
    LinkedTree.make(upper, to, limit);
    FuseMarks.remove(to, lowers, limit);
  }

  @Override
  public JsonObject json() {
    return new JsonObject()
        .with("fuse", mountPoint.toString())
        .with("upper", upper.toString())
        .with("lowers", lowers.stream().map(Path::toString).toList());
  }

  static FuseUnion of(JsonObject json) throws IOException {
    return new FuseUnion(
        Path.of(json.string("fuse")),
        Path.of(json.string("upper")),
        json.strings("lowers").stream().map(Path::of).toList());
  }

  private static boolean isAt(Path mountPoint) throws IOException {
    MountTable.Entry entry = MountTable.read().at(mountPoint);
    return entry != null && entry.type().equals(TYPE);
  }
}
