package dev.regen.runtime.overlay;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A container's union file system: what is needed to take it off and to mount it again the same.
 *
 * <p>Life: {@link #at} reads it from the mount table; {@link #detach} takes it off; whoever changes
 * the upper does it then; {@link #mount} puts it back with the same options.
 *
 * @param mountPoint where the union is seen
 * @param base what relative paths in {@code options} are relative to
 * @param upper the writable layer
 * @param work overlay's work directory, beside the upper
 * @param options the file system's options as the kernel showed them, less {@code rw}
 * @param flags of {@code mount(2)}
 */
public record UnionMount(
    Path mountPoint, Path base, Path upper, Path work, List<String> options, long flags)
    implements ContainerRoot {
  private static final int OPTIONS_MAX_BYTES = 4095;
  private static final Duration DETACH_LIMIT = Duration.ofSeconds(2);
  private static final Map<String, Long> FLAGS =
      Map.of(
          "ro", Mount.READ_ONLY,
          "nosuid", Mount.NO_SUID,
          "nodev", Mount.NO_DEV,
          "noexec", Mount.NO_EXEC,
          "noatime", Mount.NO_ATIME,
          "nodiratime", Mount.NO_DIR_ATIME,
          "relatime", Mount.REL_ATIME);

  public UnionMount {
    options = List.copyOf(options);
  }

  /**
   * The overlay mounted at {@code mountPoint}, or null where something else or nothing is.
   *
   * @throws IOException if it is an overlay without an upper, or one whose directories are not
   *     found
   */
  public static @Nullable UnionMount at(Path mountPoint) throws IOException {
    MountTable.Entry entry = MountTable.read().at(mountPoint);
    if (entry == null || !entry.type().equals("overlay")) {
      return null;
    }
    String upper = entry.option("upperdir");
    String work = entry.option("workdir");
    if (upper == null || work == null) {
      throw new IOException(mountPoint + " is a union without a writable layer");
    }
    Path base =
        baseOf(mountPoint, upper, Objects.requireNonNull(entry.option("lowerdir"), "lower"));
    List<String> options =
        entry.superOptions().stream().filter(o -> !o.equals("rw") && !o.equals("ro")).toList();
    long flags = 0;
    for (String option : entry.mountOptions()) {
      flags |= FLAGS.getOrDefault(option, 0L);
    }
    return new UnionMount(
        mountPoint, base, base.resolve(upper), base.resolve(work), options, flags);
  }

  @Override
  public List<Path> lowers() {
    for (String option : options) {
      if (option.startsWith("lowerdir=")) {
        List<Path> lowers = new ArrayList<>();
        for (String lower : option.substring("lowerdir=".length()).split(":", -1)) {
          lowers.add(base.resolve(lower));
        }
        return lowers;
      }
    }
    return List.of();
  }

  /** Whether an overlay with this very upper is mounted at the mount point now. */
  @Override
  public boolean isMounted() throws IOException {
    MountTable.Entry entry = MountTable.read().at(mountPoint);
    return entry != null
        && entry.type().equals("overlay")
        && base.resolve(Objects.requireNonNullElse(entry.option("upperdir"), "")).equals(upper);
  }

  /**
   * Why {@link #mount} would not make the same union again, in words; null if it would.
   *
   * <p>Lower layers may have been mounted with other ids, at a place that is gone by now, or with
   * more options than {@code mount(2)} takes; then the union must stay mounted as it is.
   */
  public @Nullable String whyItMustStay() throws IOException {
    if (data().length > OPTIONS_MAX_BYTES) {
      return "its mount options are longer than the " + OPTIONS_MAX_BYTES + " bytes of mount(2)";
    }
    for (Path lower : lowers()) {
      if (!Files.isDirectory(lower)) {
        return "its layer " + lower + " is not there any more, or has not the same ids";
      }
    }
    return hasOtherIds() ? "the ids of its layers are mapped by the mount" : null;
  }

  private boolean hasOtherIds() throws IOException {
    List<Path> lowers = lowers();
    if (lowers.isEmpty()) {
      return false;
    }
    try (Fd lower = Fd.directory(lowers.getFirst());
        Fd above = Fd.directory(upper);
        Fd union = Fd.directory(mountPoint)) {
      for (Fd.Name entry : lower.list()) {
        Stat seen = union.statIfThere(entry.bytes());
        if (seen != null && above.statIfThere(entry.bytes()) == null) {
          Stat stored = lower.statAt(entry.bytes());
          return stored.uid() != seen.uid() || stored.gid() != seen.gid();
        }
      }
    }
    return false;
  }

  private byte[] data() {
    return Fd.bytes(String.join(",", options.stream().map(UnionMount::escaped).toList()));
  }

  /**
   * Takes the mount out of the tree and waits until the table no longer shows it; nothing is
   * flushed.
   *
   * <p>Whoever still has a directory of it open (a host process's working directory) keeps the old
   * view; the kernel ends it when they let go.
   */
  public void detach() throws IOException {
    Mount.detach(mountPoint);
    long deadline = System.nanoTime() + DETACH_LIMIT.toNanos();
    while (isMounted()) {
      if (System.nanoTime() > deadline) {
        throw new IOException(mountPoint + " is still mounted after it was taken off");
      }
      Thread.onSpinWait();
    }
  }

  /**
   * Mounts again, with a fresh work directory of the same owner and mode in the old one's place.
   *
   * <p>A fresh one because the kernel may still hold the old one, and podman leaves marks there
   * that forbid another mount.
   */
  public void mount() throws IOException {
    freshWork();
    byte[] data = data();
    if (data.length > OPTIONS_MAX_BYTES) {
      throw new IOException(
          mountPoint + ": mount options of " + data.length + " bytes; the kernel takes 4095");
    }
    Mount.mountFrom(base, "overlay", mountPoint, "overlay", flags, data);
  }

  @Override
  public JsonObject json() {
    return new JsonObject()
        .with("mountPoint", mountPoint.toString())
        .with("base", base.toString())
        .with("upper", upper.toString())
        .with("work", work.toString())
        .with("options", options)
        .with("flags", flags);
  }

  public static UnionMount of(JsonObject json) throws IOException {
    return new UnionMount(
        Path.of(json.string("mountPoint")),
        Path.of(json.string("base")),
        Path.of(json.string("upper")),
        Path.of(json.string("work")),
        json.strings("options"),
        json.number("flags"));
  }

  /**
   * With many layers the engine mounts from its driver's home with relative paths, to fit a page of
   * options. The home is the nearest directory above the mount point or the upper under which they
   * exist.
   */
  private static Path baseOf(Path mountPoint, String upper, String lower) throws IOException {
    List<String> relative = new ArrayList<>(List.of(lower.split(":", -1)));
    relative.add(upper);
    relative.removeIf(path -> path.startsWith("/"));
    if (relative.isEmpty()) {
      return Path.of("/");
    }
    for (Path start : List.of(mountPoint, Path.of("/").resolve(upper))) {
      for (Path above = start; above != null; above = above.getParent()) {
        if (allThere(above, relative)) {
          return above;
        }
      }
    }
    throw new IOException(mountPoint + ": the layers " + relative.get(0) + ", … are not found");
  }

  private static boolean allThere(Path above, List<String> relative) {
    return relative.stream().allMatch(path -> Files.isDirectory(above.resolve(path)));
  }

  private void freshWork() throws IOException {
    Path old = work.resolveSibling(".regen-old-work");
    TreeRemoval.remove(old);
    EmptyTwin.make(work, old);
    new LocalDisk().exchange(work, old);
    TreeRemoval.remove(old);
  }

  private static String escaped(String option) {
    int equals = option.indexOf('=');
    return equals < 0 || !option.substring(equals).contains(",")
        ? option
        : option.substring(0, equals) + option.substring(equals).replace(",", "\\,");
  }
}
