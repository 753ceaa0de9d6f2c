package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer;
import java.util.List;

/** From the host's ids to the container's. */
final class IdMap {
  private final List<FrozenLayer.IdRange> ranges;

  /** No ranges: ids are the same on both sides. */
  IdMap(List<FrozenLayer.IdRange> ranges) {
    this.ranges = ranges;
  }

  /** The container's number for the host's {@code id}, -1 if it has none. */
  long inside(long id) {
    if (ranges.isEmpty()) {
      return id;
    }
    for (FrozenLayer.IdRange range : ranges) {
      if (id >= range.outside() && id - range.outside() < range.size()) {
        return range.inside() + (id - range.outside());
      }
    }
    return -1;
  }
}
