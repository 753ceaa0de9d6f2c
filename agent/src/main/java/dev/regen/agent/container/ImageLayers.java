package dev.regen.agent.container;

import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.SeenImages;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where the layers of images lie on this host. */
public final class ImageLayers {
  private final Engine engine;
  private final SeenImages seen;

  public ImageLayers(Engine engine, SeenImages seen) {
    this.engine = engine;
    this.seen = seen;
  }

  /**
   * The id of the image that a person calls {@code name}.
   *
   * @throws RegenException.Refused if the engine has none
   */
  public String id(String name) throws IOException {
    return engine
        .imageNamed(name)
        .orElseThrow(() ->
            new RegenException.NotFound(
                "the engine has no image '" + name + "'; pull it, or name one of 'docker images'"))
        .string("Id");
  }

  /** Forgets what was seen of images that are gone. */
  void forgetRemoved() throws IOException {
    seen.forgetRemoved();
  }

  /**
   * The layers of a snapshot's image, topmost first; none if the snapshot has no image.
   *
   * @throws RegenException.Refused if the image or its layers are not to be had
   */
  List<Path> of(Snapshot snapshot) throws IOException {
    if (snapshot.imageId().isEmpty()) {
      return List.of();
    }
    JsonObject image =
        engine
            .image(snapshot.imageId())
            .orElseThrow(() ->
                new RegenException.Refused(
                    "the image "
                        + snapshot.imageName()
                        + " ("
                        + snapshot.imageId()
                        + ") is not here any more; pull it, or export the snapshot instead"));
    JsonObject driver = image.objectOrNull("GraphDriver");
    JsonObject data = driver == null ? null : driver.objectOrNull("Data");
    String upper = data == null ? null : data.stringOrNull("UpperDir");
    if (data == null || upper == null) {
      return seen.of(snapshot.imageId())
          .orElseThrow(() ->
              new RegenException.Refused(
                  "the engine does not say where the layers of image "
                      + snapshot.imageName()
                      + " are, and no container of it ran here; run one with --runtime=regen, or"
                      + " export the snapshot instead"));
    }
    List<Path> layers = new ArrayList<>(List.of(Path.of(upper)));
    String lowers = data.stringOrNull("LowerDir");
    if (lowers != null) {
      for (String lower : lowers.split(":", -1)) {
        layers.add(Path.of(lower));
      }
    }
    return layers;
  }

  /** As {@link #of}, but none where it would fail: the image, its layers or the engine is away. */
  List<Path> ifHere(Snapshot snapshot) throws IOException {
    try {
      return allThere(of(snapshot));
    } catch (RegenException.Refused | EngineException e) {
      return List.of();
    }
  }

  /** {@code layers}, or none if one of them is not there. */
  static List<Path> allThere(List<Path> layers) {
    return layers.stream().allMatch(Files::isDirectory) ? layers : List.of();
  }
}
