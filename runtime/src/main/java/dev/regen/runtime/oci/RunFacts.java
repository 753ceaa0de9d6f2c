package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.overlay.ContainerRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What is known of a run when it is created, and stays so until its end.
 *
 * @param name what a person called the container
 * @param bootId of the host when the run was created; under another one the run has crashed
 * @param autoRemove {@code --rm}: nobody needs the upper after the end
 */
record RunFacts(
    ContainerId container,
    String name,
    QueueName queue,
    int keep,
    String bootId,
    Instant createdAt,
    Path bundle,
    Path runcRoot,
    ContainerRoot union,
    boolean autoRemove,
    boolean firstStart,
    List<String> excludes,
    List<IdRange> uidMap,
    List<IdRange> gidMap,
    String imageId,
    String imageName,
    List<String> notHeld,
    JsonObject spec) {

  RunFacts {
    excludes = List.copyOf(excludes);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
    notHeld = List.copyOf(notHeld);
  }

  /** The same run, its root having been made again. */
  RunFacts withRoot(ContainerRoot made) {
    return new RunFacts(
        container,
        name,
        queue,
        keep,
        bootId,
        createdAt,
        bundle,
        runcRoot,
        made,
        autoRemove,
        firstStart,
        excludes,
        uidMap,
        gidMap,
        imageId,
        imageName,
        notHeld,
        spec);
  }

  /** Adds these facts to the record of the run. */
  JsonObject addTo(JsonObject json) {
    return json.with("container", container.value())
        .with("name", name)
        .with("queue", queue.value())
        .with("keep", keep)
        .with("bootId", bootId)
        .with("createdAt", createdAt)
        .with("bundle", bundle.toString())
        .with("runcRoot", runcRoot.toString())
        .with("union", union.json())
        .with("autoRemove", autoRemove)
        .with("firstStart", firstStart)
        .with("excludes", excludes)
        .with("uidMap", uidMap.stream().map(IdRange::json).toList())
        .with("gidMap", gidMap.stream().map(IdRange::json).toList())
        .with("imageId", imageId)
        .with("imageName", imageName)
        .with("notHeld", notHeld)
        .with("spec", spec);
  }

  /**
   * Reads what {@link #addTo} wrote.
   *
   * @throws IOException if a member is missing or of the wrong type
   * @throws IllegalArgumentException or {@link ArithmeticException} if one has a wrong value
   */
  static RunFacts of(JsonObject json) throws IOException {
    return new RunFacts(
        new ContainerId(json.string("container")),
        json.string("name"),
        new QueueName(json.string("queue")),
        Math.toIntExact(json.number("keep")),
        json.string("bootId"),
        json.instant("createdAt"),
        Path.of(json.string("bundle")),
        Path.of(json.string("runcRoot")),
        ContainerRoot.of(json.object("union")),
        json.flag("autoRemove"),
        json.flag("firstStart"),
        json.strings("excludes"),
        ranges(json, "uidMap"),
        ranges(json, "gidMap"),
        json.string("imageId"),
        json.string("imageName"),
        json.strings("notHeld"),
        json.object("spec"));
  }

  private static List<IdRange> ranges(JsonObject json, String name) throws IOException {
    List<IdRange> ranges = new ArrayList<>();
    for (JsonObject range : json.objects(name)) {
      ranges.add(IdRange.of(range));
    }
    return ranges;
  }
}
