package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.ContainerRoot;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds out what a container's root is made of, from the mount table and the engine's records. */
final class ContainerRoots {
  /** Docker's storage drivers that copy a container's root from the layer below. */
  private static final List<String> COPYING_DRIVERS = List.of("vfs", "btrfs");

  private static final Pattern LAYER = Pattern.compile("[0-9a-zA-Z][0-9a-zA-Z_.-]{0,127}");
  private static final int ID_MAX_BYTES = 256;

  private final List<Path> dataRoots;

  ContainerRoots(List<Path> dataRoots) {
    this.dataRoots = List.copyOf(dataRoots);
  }

  /**
   * The root of a container that is about to start.
   *
   * @param before the container's last run; its root may have been made again since the engine did
   * @throws IOException if it is of a kind that Regen does not keep; says which
   */
  ContainerRoot of(ContainerId container, Path root, @Nullable RunRecord before)
      throws IOException {
    UnionMount union = UnionMount.at(root);
    if (union != null) {
      return union;
    }
    FuseUnion fuse = FuseUnion.at(root);
    if (fuse != null) {
      return fuse;
    }
    MountTable.Entry mount = MountTable.read().at(root);
    if (mount == null) {
      for (Path dataRoot : dataRoots) {
        for (String driver : COPYING_DRIVERS) {
          Path record = dataRoot.resolve("image").resolve(driver).resolve("layerdb/mounts");
          PlainRoot plain = copied(record.resolve(container.value()), root);
          if (plain != null) {
            return later(plain, before);
          }
        }
      }
    }
    throw new IOException(
        root
            + " is "
            + (mount == null ? "a directory" : "of type " + mount.type())
            + ", where Regen cannot tell what the container wrote from its image");
  }

  /** What Docker has on record about a root that one of its copying drivers made. */
  private static @Nullable PlainRoot copied(Path record, Path root) throws IOException {
    Stat made = Fd.statIfThere(record.resolve("mount-id"));
    if (made == null || !root.endsWith(layer(record.resolve("mount-id")))) {
      return null;
    }
    // It is written once the copy is complete.
    Instant since = Instant.ofEpochSecond(made.mtime().seconds(), made.mtime().nanos());
    if (Fd.statIfThere(record.resolve("init-id")) == null) {
      return new PlainRoot(root, null, since);
    }
    Path base = root.resolveSibling(layer(record.resolve("init-id")));
    if (Fd.statIfThere(base) == null) {
      throw new IOException("the layer " + base + " below " + root + " is missing");
    }
    return new PlainRoot(root, base, since);
  }

  private static PlainRoot later(PlainRoot plain, @Nullable RunRecord before) {
    boolean known =
        before != null
            && before.union() instanceof PlainRoot earlier
            && earlier.root().equals(plain.root())
            && earlier.since() != null
            && plain.since() != null
            && earlier.since().isAfter(plain.since());
    return known && before != null && before.union() instanceof PlainRoot earlier ? earlier : plain;
  }

  private static String layer(Path file) throws IOException {
    String id =
        new String(new LocalDisk().read(file, ID_MAX_BYTES), StandardCharsets.UTF_8).strip();
    if (!LAYER.matcher(id).matches()) {
      throw new IOException(file + " holds no name of a layer");
    }
    return id;
  }
}
