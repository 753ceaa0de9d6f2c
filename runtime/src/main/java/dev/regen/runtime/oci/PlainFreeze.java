package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.os.Subvolume;
import dev.regen.runtime.overlay.EmptyTwin;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * Finds what a run wrote into a root without an upper, and makes a layer tree of it.
 *
 * <p>The root of a {@code --rm} container is removed by its engine right after the hook, and the
 * layer below it too. Where comparing them takes longer than a hook may, both are put out of the
 * engine's reach first, in a few steps whatever their size: as snapshots where they are subvolumes,
 * else by renaming; whoever comes next compares them there.
 */
final class PlainFreeze {
  private final Disk disk;
  private final RunRecords records;

  PlainFreeze(Disk disk, RunRecords records) {
    this.disk = disk;
    this.records = records;
  }

  static Path aside(FrozenLayer layer) {
    return Staging.around(layer.tree()).aside(layer.job());
  }

  static Path asideBase(FrozenLayer layer) {
    return Staging.around(layer.tree()).asideBase(layer.job());
  }

  /**
   * Does what is left of the freeze whose intent {@code run} holds.
   *
   * @return the layer as it is to be archived
   * @throws LinkedTree.TooLong when {@code limit} is over; nothing is lost, and this goes on
   */
  FrozenLayer finish(RunRecord run, PlainRoot root, Duration limit) throws IOException {
    FrozenLayer layer = Objects.requireNonNull(run.ending(), "no intent to freeze");
    if (Fd.statIfThere(layer.tree()) == null) {
      compare(layer, root, limit);
    }
    FrozenLayer made = layer.at(layer.tree(), Fd.stat(layer.tree()).inode());
    if (layer.kind() == Kind.EXCHANGED && made.upperInode() != layer.upperInode()) {
      records.write(run.ending(made));
    }
    PlainRoot.remove(aside(layer));
    PlainRoot.remove(asideBase(layer));
    return made;
  }

  private void compare(FrozenLayer layer, PlainRoot root, Duration limit) throws IOException {
    Path linking = layer.tree().resolveSibling(Staging.LINKING + layer.job());
    TreeRemoval.remove(linking);
    try {
      whereItIs(layer, root).diff(linking, limit);
    } catch (LinkedTree.TooLong e) {
      if (layer.kind() == Kind.EXCHANGED) {
        setAside(layer, root);
      }
      throw e;
    }
    if (layer.kind() == Kind.EXCHANGED) {
      // The engine removes the root, and files may be copies: what the container had forced must
      // last.
      disk.forceFileSystem(linking);
    }
    disk.rename(linking, layer.tree());
    disk.forceDirectory(Staging.around(layer.tree()).directory());
  }

  private static PlainRoot whereItIs(FrozenLayer layer, PlainRoot root) throws IOException {
    if (!isAside(layer)) {
      return root;
    }
    Path base = asideBase(layer);
    return new PlainRoot(
        aside(layer), Fd.statIfThere(base) == null ? root.base() : base, root.since());
  }

  private static boolean isAside(FrozenLayer layer) throws IOException {
    Stat there = Fd.statIfThere(aside(layer));
    return there != null && there.inode() == layer.upperInode();
  }

  /** The layer below goes first, so that whoever finds the root there finds both. */
  private void setAside(FrozenLayer layer, PlainRoot root) throws IOException {
    if (isAside(layer)) {
      return;
    }
    Path base = root.base();
    if (base != null && Fd.statIfThere(asideBase(layer)) == null) {
      if (!Subvolume.snapshot(base, asideBase(layer))) {
        disk.rename(base, asideBase(layer));
      }
    }
    if (Subvolume.snapshot(root.root(), aside(layer))) {
      return;
    }
    if (Fd.statIfThere(aside(layer)) == null) {
      EmptyTwin.make(root.root(), aside(layer));
    }
    disk.exchange(root.root(), aside(layer));
  }
}
