package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import java.util.List;

/** User and group ids of a container, and what they are on the host. */
final class HostIds {
  private final List<IdRange> users;
  private final List<IdRange> groups;

  /** Empty lists: the container's ids are the host's. */
  HostIds(List<IdRange> users, List<IdRange> groups) {
    this.users = List.copyOf(users);
    this.groups = List.copyOf(groups);
  }

  /** Whether the container's user ids are others on the host. */
  boolean mapsUsers() {
    return !users.isEmpty();
  }

  /** The host's user id, as an unsigned 32-bit number. */
  int user(long inside) throws BadLayerException {
    return outside(users, inside, "user");
  }

  /** The host's group id, as an unsigned 32-bit number. */
  int group(long inside) throws BadLayerException {
    return outside(groups, inside, "group");
  }

  private static int outside(List<IdRange> ranges, long inside, String what)
      throws BadLayerException {
    if (ranges.isEmpty()) {
      return (int) inside;
    }
    for (IdRange range : ranges) {
      if (inside >= range.inside() && inside - range.inside() < range.size()) {
        return (int) (range.outside() + (inside - range.inside()));
      }
    }
    throw new BadLayerException(
        "belongs to " + what + " " + inside + ", which this container's id mapping does not have");
  }
}
