package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Fill;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts a layer tree into a root that has no upper, file by file, and takes it out again.
 *
 * <p>The record with the intent is on the disk first. What the root holds already ({@code docker
 * cp}) is found by comparison and kept beside the tree; so wherever this was stopped, the root can
 * be made again from the layer below and what it held.
 */
final class Filling implements TreePlacement {
  /** The front waits two minutes for a start. */
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final Disk disk;
  private final RunRecord record;
  private final PlainRoot root;
  private final Placed placed;

  Filling(Disk disk, RunRecord record, PlainRoot root) {
    this.disk = disk;
    this.record = record;
    this.root = root;
    this.placed = Objects.requireNonNull(record.placed(), "no tree to place");
  }

  @Override
  public void moveIn() throws IOException {
    try {
      if (!isTree(placed.placing())) {
        disk.rename(placed.origin(), placed.placing());
      }
      keepOwn();
      LaidOver.lay(placed.own(), placed.placing());
      Fill.apply(placed.placing(), root.root(), true, LIMIT);
      if (placed.unarchived() == null) {
        // It can be built again, and its links would be seen in the container.
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

  @Override
  public @Nullable Path moveOut() throws IOException {
    if (Fd.statIfThere(placed.own()) != null) {
      // The engine removes the root of a container with --rm that did not start.
      if (!record.autoRemove() && Fd.statIfThere(root.root()) != null) {
        restoreRoot();
      }
      TreeRemoval.remove(placed.own());
    }
    if (isTree(placed.placing())) {
      return placed.placing();
    }
    return isTree(placed.origin()) ? placed.origin() : null;
  }

  /** From the moment that what the root holds has its name, the root may be changed. */
  private void keepOwn() throws IOException {
    if (Fd.statIfThere(placed.own()) != null) {
      return;
    }
    Path comparing = Staging.around(placed.own()).building();
    try {
      root.diff(comparing, LIMIT);
      disk.rename(comparing, placed.own());
    } finally {
      TreeRemoval.remove(comparing);
    }
  }

  private void restoreRoot() throws IOException {
    Path fresh = Staging.around(placed.own()).building();
    try {
      root.fresh(fresh, LIMIT);
      Fill.apply(placed.own(), fresh, true, LIMIT);
      disk.exchange(fresh, root.root());
    } finally {
      PlainRoot.remove(fresh);
    }
  }

  private boolean isTree(Path path) throws IOException {
    Stat stat = Fd.statIfThere(path);
    return stat != null && stat.inode() == placed.inode();
  }
}
