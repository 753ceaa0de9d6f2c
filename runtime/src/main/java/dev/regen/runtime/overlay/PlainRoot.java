package dev.regen.runtime.overlay;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.os.Subvolume;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A root that is a directory of its own, copied from the layer below: there is no upper, and what
 * the container wrote is what differs. So Docker's drivers {@code vfs} and {@code btrfs} make it.
 *
 * @param root the directory, or subvolume
 * @param base the layer below, null if there is none
 * @param since when the root was made: no inode touched before has changed; null if not known
 */
public record PlainRoot(Path root, @Nullable Path base, @Nullable Instant since)
    implements ContainerRoot {
  @Override
  public Path upper() {
    return root;
  }

  @Override
  public List<Path> lowers() {
    return base == null ? List.of() : List.of(base);
  }

  /** It is a directory like any other. */
  @Override
  public boolean isMounted() {
    return false;
  }

  public PlainRoot since(Stat.Time time) {
    return new PlainRoot(root, base, Instant.ofEpochSecond(time.seconds(), time.nanos()));
  }

  /**
   * Makes a layer tree of what differs.
   *
   * @return whether there is any difference
   * @throws LinkedTree.TooLong when {@code limit} is over; {@code to} then holds a part
   */
  public boolean diff(Path to, Duration limit) throws IOException {
    Stat.Time time = since == null ? null : new Stat.Time(since.getEpochSecond(), since.getNano());
    return WrittenLayer.make(root, base, to, new WrittenLayer.How(time, true, limit));
  }

  /** Makes a root as the engine makes it, from the layer below; shares no file with that. */
  public void fresh(Path to, Duration limit) throws IOException {
    if (base == null) {
      EmptyTwin.make(root, to);
    } else if (!Subvolume.snapshot(base, to)) {
      WrittenLayer.make(base, null, to, new WrittenLayer.How(null, false, limit));
    }
  }

  /** Removes such a root wherever it is now. */
  public static void remove(Path path) throws IOException {
    if (!Subvolume.remove(path)) {
      TreeRemoval.remove(path);
    }
  }

  @Override
  public JsonObject json() {
    return new JsonObject()
        .with("root", root.toString())
        .with("base", base == null ? null : base.toString())
        .with("since", since);
  }

  static PlainRoot of(JsonObject json) throws IOException {
    String base = json.stringOrNull("base");
    return new PlainRoot(
        Path.of(json.string("root")),
        base == null ? null : Path.of(base),
        json.has("since") ? json.instant("since") : null);
  }
}
