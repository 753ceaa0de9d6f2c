package dev.regen.runtime.oci;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.overlay.ContainerRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;

/**
 * What is known of a run when it is created, and stays so until its end.
 *
 * @param layer what will go with its layer
 * @param name what a person called the container
 * @param bootId of the host when the run was created; under another one the run has crashed
 * @param autoRemove {@code --rm}: nobody needs the upper after the end
 */
record RunFacts(
    LayerFacts layer,
    String name,
    String bootId,
    Instant createdAt,
    Path bundle,
    Path runcRoot,
    ContainerRoot union,
    boolean autoRemove,
    boolean firstStart) {

  /** The same run, its root having been made again. */
  RunFacts withRoot(ContainerRoot made) {
    return new RunFacts(
        layer, name, bootId, createdAt, bundle, runcRoot, made, autoRemove, firstStart);
  }

  /** Adds these facts to the record of the run. */
  JsonObject addTo(JsonObject json) {
    return layer
        .addTo(json)
        .with("name", name)
        .with("bootId", bootId)
        .with("createdAt", createdAt)
        .with("bundle", bundle.toString())
        .with("runcRoot", runcRoot.toString())
        .with("union", union.json())
        .with("autoRemove", autoRemove)
        .with("firstStart", firstStart);
  }

  /**
   * Reads what {@link #addTo} wrote.
   *
   * @throws IOException if a member is missing or of the wrong type
   * @throws IllegalArgumentException or {@link ArithmeticException} if one has a wrong value
   */
  static RunFacts of(JsonObject json) throws IOException {
    return new RunFacts(
        LayerFacts.of(json),
        json.string("name"),
        json.string("bootId"),
        json.instant("createdAt"),
        Path.of(json.string("bundle")),
        Path.of(json.string("runcRoot")),
        ContainerRoot.of(json.object("union")),
        json.flag("autoRemove"),
        json.flag("firstStart"));
  }
}
