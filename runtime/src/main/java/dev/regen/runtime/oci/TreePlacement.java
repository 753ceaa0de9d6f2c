package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Brings a layer tree into a container's root before a run, and takes it back if none begins. */
sealed interface TreePlacement permits Placement, Filling {
  /** The way that fits the run's root; its record names the tree. */
  static TreePlacement of(Disk disk, RunRecord run) {
    Placed placed = Objects.requireNonNull(run.placed(), "no tree to place");
    return run.union() instanceof UnionMount union && !placed.filled()
        ? new Placement(disk, run, union)
        : new Filling(disk, run);
  }

  /** Why a run's tree has to be put in file by file; null where it can take the upper's place. */
  static @Nullable String whyFilled(RunRecord run) throws IOException {
    return switch (run.union()) {
      case UnionMount union -> {
        String why = union.whyItMustStay();
        yield why != null || Staging.reaches(union.upper())
            ? why
            : "its layer is a mount of its own or has a project quota, so nothing can be renamed"
                + " to it";
      }
      case FuseUnion _ -> "only its engine can mount fuse-overlayfs again";
      case PlainRoot _ -> "its engine's storage driver has no writable layer";
    };
  }

  /** Whether a run's tree, where it cannot become the upper itself, can as a copy beside it. */
  static boolean canBeCopied(RunRecord run) throws IOException {
    return run.union() instanceof UnionMount union
        && union.whyItMustStay() == null
        && UpperExchange.canStandBeside(union.upper());
  }

  /** Removes the copy of a tree that did not become the upper. */
  static void dropCopy(Placed placed) throws IOException {
    Stat stat = UpperExchange.isInLayer(placed.origin()) ? Fd.statIfThere(placed.origin()) : null;
    if (stat != null && stat.inode() == placed.inode()) {
      TreeRemoval.remove(placed.origin());
    }
  }

  /** Whether the root of a run may hold files already that go over the tree. */
  static boolean isLaidOver(RunRecord run) throws IOException {
    return switch (run.union()) {
      case UnionMount union -> !LaidOver.isEmpty(union.upper());
      case FuseUnion union -> !LaidOver.isEmpty(union.upper());
      // Finding out is a comparison, which is done once the intent is on record.
      case PlainRoot _ -> true;
    };
  }

  /**
   * Brings the tree in; what the root holds is laid over it.
   *
   * @throws IOException if a step fails; the root is as before then, if that can be done
   */
  void moveIn() throws IOException;

  /**
   * Undoes {@link #moveIn}, whole or in part.
   *
   * @return where the tree is now, null if it is nowhere to be found
   */
  @Nullable Path moveOut() throws IOException;

  /**
   * Gives a tree that was moved out back to where it came from, without what this run put into it.
   *
   * @return whether it is there again; a tree that can be rebuilt is dropped where it is no longer
   *     what its name would say
   */
  static boolean giveBack(Disk disk, RunRecord record, Path tree) throws IOException {
    Placed placed = Objects.requireNonNull(record.placed(), "no tree to give back");
    if (UpperExchange.isInLayer(tree)) {
      dropCopy(placed);
      return true;
    }
    Placeholders.remove(tree, record.placeholders(), record.union().lowers());
    boolean asItWas = !placed.laidOver() || placed.unarchived() != null;
    if (asItWas && tree.equals(placed.origin())) {
      return true;
    }
    if (asItWas && Fd.statIfThere(placed.origin()) == null) {
      disk.rename(tree, placed.origin());
      return true;
    }
    Path trash = Staging.around(tree).trash();
    disk.rename(tree, trash);
    TreeRemoval.remove(trash);
    return false;
  }
}
