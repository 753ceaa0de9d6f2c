package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What is known of a container when its run begins, and goes with the run's layer to its snapshot.
 *
 * @param keep how many snapshots the queue is to hold, 1 to 1000
 * @param excludes paths from the container's root that the user wants left out
 * @param uidMap pairs of the container's {@code linux.uidMappings}, empty for none
 * @param imageId the base image the run has
 * @param imageName what the user called the image
 * @param notHeld what of the container no snapshot holds: volumes, tmpfs, in words
 * @param spec the engine's record of the container (its configuration and host configuration)
 */
public record LayerFacts(
    ContainerId container,
    QueueName queue,
    int keep,
    List<String> excludes,
    List<IdRange> uidMap,
    List<IdRange> gidMap,
    String imageId,
    String imageName,
    List<String> notHeld,
    JsonObject spec) {

  public LayerFacts {
    excludes = List.copyOf(excludes);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
    notHeld = List.copyOf(notHeld);
  }

  /** Of a container that leaves nothing out and has the host's ids. */
  public LayerFacts(
      ContainerId container,
      QueueName queue,
      int keep,
      String imageId,
      String imageName,
      List<String> notHeld,
      JsonObject spec) {
    this(
        container, queue, keep, List.of(), List.of(), List.of(), imageId, imageName, notHeld, spec);
  }

  /** Of a container of which nothing else is known. */
  public LayerFacts(ContainerId container, QueueName queue, int keep) {
    this(container, queue, keep, "", "", List.of(), new JsonObject());
  }

  LayerFacts withNotHeld(List<String> all) {
    return new LayerFacts(
        container, queue, keep, excludes, uidMap, gidMap, imageId, imageName, all, spec);
  }

  /** Adds these facts to the record of a run, or of its layer. */
  JsonObject addTo(JsonObject json) {
    return json.with("container", container.value())
        .with("queue", queue.value())
        .with("keep", keep)
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
  static LayerFacts of(JsonObject json) throws IOException {
    return new LayerFacts(
        new ContainerId(json.string("container")),
        new QueueName(json.string("queue")),
        Math.toIntExact(json.number("keep")),
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
