package dev.regen.snapshot.queue;

import dev.regen.snapshot.SnapshotId;
import java.util.List;

/**
 * What an append did.
 *
 * @param element the new tail, with the time it was given
 * @param left the snapshots that no longer stand in the queue; their data may be deleted now
 */
public record Appended(Element element, List<SnapshotId> left) {
  public Appended {
    left = List.copyOf(left);
  }
}
