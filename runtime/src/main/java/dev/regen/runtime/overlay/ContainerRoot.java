package dev.regen.runtime.overlay;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What a container's root file system is made of, and where it is. */
public sealed interface ContainerRoot permits UnionMount, FuseUnion, PlainRoot {
  /** The directory that takes what the container writes. */
  Path upper();

  /** The layers below, the topmost first. */
  List<Path> lowers();

  /** Whether it is mounted now. */
  boolean isMounted() throws IOException;

  JsonObject json();

  /** Reads what {@link #json} wrote. */
  static ContainerRoot of(JsonObject json) throws IOException {
    if (json.has("root")) {
      return PlainRoot.of(json);
    }
    return json.has("fuse") ? FuseUnion.of(json) : UnionMount.of(json);
  }
}
