package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A writable layer set aside at the end of a run, waiting in the spool for the agent to archive it.
 *
 * @param job names the file in the spool: time and container, unique
 * @param keep how many snapshots the queue is to hold, 1 to 1000
 * @param tree the frozen layer tree, in overlay form
 * @param kind how the tree came to be there
 * @param upperInode the inode of the writable layer before it was frozen; a tree of kind {@code
 *     EXCHANGED} with another inode was never exchanged and holds nothing
 * @param startedAt when the run began, null if not known
 * @param endedAt when the run ended
 * @param imageId the base image the run had
 * @param imageName what the user called the image
 * @param signal the first signal the engine sent, 0 if none: {@code docker stop} sends TERM before
 *     KILL
 * @param oom the kernel killed a process of the container for want of memory
 * @param shimDied the container was torn down by {@code delete --force} while it still ran
 * @param placeholders paths from the container's root of mount points that the runtime made; left
 *     out while they are empty
 * @param excludes paths from the container's root that the user wants left out
 * @param uidMap pairs of the container's {@code linux.uidMappings}, empty for none
 * @param notHeld what of the container no snapshot holds: volumes, tmpfs, in words
 * @param spec the engine's record of the container (its configuration and host configuration)
 * @param startedWithout why the run began without the state that its queue had kept, null if it did
 *     not
 */
public record FrozenLayer(
    String job,
    QueueName queue,
    int keep,
    ContainerId container,
    Path tree,
    Kind kind,
    long upperInode,
    @Nullable Instant startedAt,
    Instant endedAt,
    String imageId,
    String imageName,
    int signal,
    boolean oom,
    boolean shimDied,
    List<String> placeholders,
    List<String> excludes,
    List<IdRange> uidMap,
    List<IdRange> gidMap,
    List<String> notHeld,
    JsonObject spec,
    @Nullable String startedWithout) {

  /** How a tree was frozen. */
  public enum Kind {
    /** The upper itself, moved away: nobody else has it; may become the hot tree. */
    EXCHANGED,
    /** Hard links to the files of an upper that its container keeps. */
    LINKED,
    /**
     * Hard links to those of them alone that no snapshot holds; {@link KnownFiles} has the rest.
     */
    LISTED,
    /** The upper in place, of a stopped or paused container that Regen has under its eyes. */
    IN_PLACE
  }

  /** A run of ids: {@code size} ids from {@code inside} on are {@code outside} on the host. */
  public record IdRange(long inside, long outside, long size) {
    JsonObject json() {
      return new JsonObject().with("inside", inside).with("outside", outside).with("size", size);
    }

    static IdRange of(JsonObject json) throws IOException {
      return new IdRange(json.number("inside"), json.number("outside"), json.number("size"));
    }
  }

  public FrozenLayer {
    placeholders = List.copyOf(placeholders);
    excludes = List.copyOf(excludes);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
    notHeld = List.copyOf(notHeld);
  }

  /** The same layer, of kind {@code LISTED}, in another tree. */
  FrozenLayer listed(Path listedTree) {
    return new FrozenLayer(
        job,
        queue,
        keep,
        container,
        listedTree,
        Kind.LISTED,
        upperInode,
        startedAt,
        endedAt,
        imageId,
        imageName,
        signal,
        oom,
        shimDied,
        placeholders,
        excludes,
        uidMap,
        gidMap,
        notHeld,
        spec,
        startedWithout);
  }

  private static final int VERSION = 1;

  /** A layer of a run that began from what there was. */
  public FrozenLayer(
      String job,
      QueueName queue,
      int keep,
      ContainerId container,
      Path tree,
      Kind kind,
      long upperInode,
      @Nullable Instant startedAt,
      Instant endedAt,
      String imageId,
      String imageName,
      int signal,
      boolean oom,
      boolean shimDied,
      List<String> placeholders,
      List<String> excludes,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      List<String> notHeld,
      JsonObject spec) {
    this(
        job,
        queue,
        keep,
        container,
        tree,
        kind,
        upperInode,
        startedAt,
        endedAt,
        imageId,
        imageName,
        signal,
        oom,
        shimDied,
        placeholders,
        excludes,
        uidMap,
        gidMap,
        notHeld,
        spec,
        null);
  }

  /** The same layer, its tree being at {@code path} with this inode. */
  FrozenLayer at(Path path, long inode) {
    return new FrozenLayer(
        job,
        queue,
        keep,
        container,
        path,
        kind,
        inode,
        startedAt,
        endedAt,
        imageId,
        imageName,
        signal,
        oom,
        shimDied,
        placeholders,
        excludes,
        uidMap,
        gidMap,
        notHeld,
        spec,
        startedWithout);
  }

  public JsonObject json() {
    return new JsonObject()
        .with("version", VERSION)
        .with("job", job)
        .with("queue", queue.value())
        .with("keep", keep)
        .with("container", container.value())
        .with("tree", tree.toString())
        .with("kind", kind)
        .with("upperInode", upperInode)
        .with("startedAt", startedAt)
        .with("endedAt", endedAt)
        .with("imageId", imageId)
        .with("imageName", imageName)
        .with("signal", signal)
        .with("oom", oom)
        .with("shimDied", shimDied)
        .with("placeholders", placeholders)
        .with("excludes", excludes)
        .with("uidMap", uidMap.stream().map(IdRange::json).toList())
        .with("gidMap", gidMap.stream().map(IdRange::json).toList())
        .with("notHeld", notHeld)
        .with("spec", spec)
        .with("startedWithout", startedWithout);
  }

  /**
   * Reads what {@link #json} wrote.
   *
   * @throws IOException if a member is missing or wrong, or the version is not known
   */
  public static FrozenLayer of(JsonObject json) throws IOException {
    if (json.number("version") != VERSION) {
      throw new IOException("spool job of unknown version " + json.number("version"));
    }
    try {
      return new FrozenLayer(
          json.string("job"),
          new QueueName(json.string("queue")),
          Math.toIntExact(json.number("keep")),
          new ContainerId(json.string("container")),
          Path.of(json.string("tree")),
          Kind.valueOf(json.string("kind")),
          json.number("upperInode"),
          json.has("startedAt") ? json.instant("startedAt") : null,
          json.instant("endedAt"),
          json.string("imageId"),
          json.string("imageName"),
          Math.toIntExact(json.number("signal")),
          json.flag("oom"),
          json.flag("shimDied"),
          json.strings("placeholders"),
          json.strings("excludes"),
          ranges(json, "uidMap"),
          ranges(json, "gidMap"),
          json.strings("notHeld"),
          json.object("spec"),
          json.stringOrNull("startedWithout"));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("spool job does not hold: " + e.getMessage(), e);
    }
  }

  private static List<IdRange> ranges(JsonObject json, String name) throws IOException {
    List<IdRange> ranges = new java.util.ArrayList<>();
    for (JsonObject range : json.objects(name)) {
      ranges.add(IdRange.of(range));
    }
    return ranges;
  }
}
