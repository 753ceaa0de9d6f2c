package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of one container, from {@code create} to its end: what a hook may do, and what a crash
 * left to be done.
 *
 * @param bootId of the host when the run was created; under another one the run has crashed
 * @param name what a person called the container
 * @param autoRemove {@code --rm}: nobody needs the upper after the end
 * @param placed the tree that was moved in at the start, null if none was
 * @param ending the layer that is being frozen, from the intent on; null before
 * @param placeholders mount points that the runtime made in the upper, from the container's root
 */
record RunRecord(
    ContainerId container,
    String name,
    QueueName queue,
    int keep,
    State state,
    String bootId,
    Instant createdAt,
    Path bundle,
    Path runcRoot,
    UnionMount union,
    boolean autoRemove,
    boolean firstStart,
    @Nullable Placed placed,
    @Nullable FrozenLayer ending,
    List<String> placeholders,
    List<String> excludes,
    List<IdRange> uidMap,
    List<IdRange> gidMap,
    String imageId,
    String imageName,
    List<String> notHeld,
    JsonObject spec) {
  private static final int VERSION = 1;

  /** Where the run is. That it has started stands beside the record, since the front says it. */
  enum State {
    CREATED,
    ENDING,
    ENDED
  }

  /**
   * A tree on its way into the upper's place; its inode tells where it is now.
   *
   * @param origin where it came from
   * @param placing where it waits for the exchange, and the old upper after it
   * @param snapshot whose tree it is, null for a layer that no snapshot holds yet
   * @param chosen whether a restore chose it
   * @param laidOver whether files of the old upper were laid over it
   * @param unarchived the job it had in the spool, if no snapshot holds it yet
   */
  record Placed(
      Path origin,
      Path placing,
      long inode,
      @Nullable String snapshot,
      boolean chosen,
      boolean laidOver,
      @Nullable FrozenLayer unarchived) {
    private JsonObject json() {
      return new JsonObject()
          .with("origin", origin.toString())
          .with("placing", placing.toString())
          .with("inode", inode)
          .with("snapshot", snapshot)
          .with("chosen", chosen)
          .with("laidOver", laidOver)
          .with("unarchived", unarchived == null ? null : unarchived.json());
    }

    private static Placed of(JsonObject json) throws IOException {
      JsonObject unarchived = json.objectOrNull("unarchived");
      return new Placed(
          Path.of(json.string("origin")),
          Path.of(json.string("placing")),
          json.number("inode"),
          json.stringOrNull("snapshot"),
          json.flag("chosen"),
          json.flag("laidOver"),
          unarchived == null ? null : FrozenLayer.of(unarchived));
    }
  }

  RunRecord {
    placeholders = List.copyOf(placeholders);
    excludes = List.copyOf(excludes);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
    notHeld = List.copyOf(notHeld);
  }

  RunRecord withPlaced(@Nullable Placed tree) {
    return with(state, tree, ending);
  }

  RunRecord ending(FrozenLayer layer) {
    return with(State.ENDING, placed, layer);
  }

  RunRecord ended() {
    return with(State.ENDED, null, null);
  }

  private RunRecord with(State next, @Nullable Placed tree, @Nullable FrozenLayer layer) {
    return new RunRecord(
        container,
        name,
        queue,
        keep,
        next,
        bootId,
        createdAt,
        bundle,
        runcRoot,
        union,
        autoRemove,
        firstStart,
        tree,
        layer,
        placeholders,
        excludes,
        uidMap,
        gidMap,
        imageId,
        imageName,
        notHeld,
        spec);
  }

  JsonObject json() {
    return new JsonObject()
        .with("version", VERSION)
        .with("container", container.value())
        .with("name", name)
        .with("queue", queue.value())
        .with("keep", keep)
        .with("state", state)
        .with("bootId", bootId)
        .with("createdAt", createdAt)
        .with("bundle", bundle.toString())
        .with("runcRoot", runcRoot.toString())
        .with("union", union.json())
        .with("autoRemove", autoRemove)
        .with("firstStart", firstStart)
        .with("placed", placed == null ? null : placed.json())
        .with("ending", ending == null ? null : ending.json())
        .with("placeholders", placeholders)
        .with("excludes", excludes)
        .with("uidMap", uidMap.stream().map(IdRange::json).toList())
        .with("gidMap", gidMap.stream().map(IdRange::json).toList())
        .with("imageId", imageId)
        .with("imageName", imageName)
        .with("notHeld", notHeld)
        .with("spec", spec);
  }

  /**
   * Reads what {@link #json} wrote.
   *
   * @throws IOException if a member is missing or wrong, or the version is not known
   */
  static RunRecord of(JsonObject json) throws IOException {
    if (json.number("version") != VERSION) {
      throw new IOException("run record of unknown version " + json.number("version"));
    }
    JsonObject placed = json.objectOrNull("placed");
    JsonObject ending = json.objectOrNull("ending");
    try {
      return new RunRecord(
          new ContainerId(json.string("container")),
          json.string("name"),
          new QueueName(json.string("queue")),
          Math.toIntExact(json.number("keep")),
          State.valueOf(json.string("state")),
          json.string("bootId"),
          json.instant("createdAt"),
          Path.of(json.string("bundle")),
          Path.of(json.string("runcRoot")),
          UnionMount.of(json.object("union")),
          json.flag("autoRemove"),
          json.flag("firstStart"),
          placed == null ? null : Placed.of(placed),
          ending == null ? null : FrozenLayer.of(ending),
          json.strings("placeholders"),
          json.strings("excludes"),
          ranges(json, "uidMap"),
          ranges(json, "gidMap"),
          json.string("imageId"),
          json.string("imageName"),
          json.strings("notHeld"),
          json.object("spec"));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("run record does not hold: " + e.getMessage(), e);
    }
  }

  private static List<IdRange> ranges(JsonObject json, String name) throws IOException {
    List<IdRange> ranges = new ArrayList<>();
    for (JsonObject range : json.objects(name)) {
      ranges.add(IdRange.of(range));
    }
    return ranges;
  }
}
