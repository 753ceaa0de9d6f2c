package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.EmptyTwin;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Moves a layer tree into the place of a container's upper, and back.
 *
 * <p>The record with the tree's inode is on the disk before the first step. Each step is one rename
 * or mount, and where the tree is now tells how far it got; so either way can be gone again from
 * any point, by whoever comes next.
 */
final class Placement implements TreePlacement {
  private final Disk disk;
  private final UnionMount union;
  private final Placed placed;

  Placement(Disk disk, RunRecord record, UnionMount union) {
    this.disk = disk;
    this.union = union;
    this.placed = Objects.requireNonNull(record.placed(), "no tree to place");
  }

  /** Whether the tree is the upper now. */
  boolean isIn() throws IOException {
    return placed.isAt(union.upper());
  }

  /**
   * Rebuilds the union with the tree as its upper; what the old upper holds is laid over it.
   *
   * @throws IOException if a step fails; the old union is mounted again then, if that can be done
   */
  @Override
  public void moveIn() throws IOException {
    try {
      if (!isIn()) {
        if (!placed.isAt(placed.placing())) {
          disk.rename(placed.origin(), placed.placing());
        }
        if (union.isMounted()) {
          union.detach();
        }
        if (placed.laidOver()) {
          LaidOver.lay(union.upper(), placed.placing());
        }
        disk.exchange(placed.placing(), union.upper());
      }
      if (!union.isMounted()) {
        union.mount();
      }
      if (!placed.laidOver()) {
        TreeRemoval.remove(placed.placing());
      }
    } catch (IOException e) {
      try {
        moveOut();
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /**
   * Undoes {@link #moveIn}: the old upper is in its place again and mounted.
   *
   * @return where the tree is now, null if it is nowhere to be found
   */
  @Override
  public @Nullable Path moveOut() throws IOException {
    Path back = null;
    if (isIn()) {
      if (union.isMounted()) {
        union.detach();
      }
      if (Fd.statIfThere(placed.placing()) == null) {
        EmptyTwin.make(union.upper(), placed.placing());
      }
      disk.exchange(placed.placing(), union.upper());
      back = placed.placing();
    } else if (placed.isAt(placed.placing())) {
      back = placed.placing();
    } else if (placed.isAt(placed.origin())) {
      back = placed.origin();
    }
    if (Fd.statIfThere(union.upper()) != null && !union.isMounted()) {
      union.mount();
    }
    return back;
  }
}
