package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a layer tree in the place of a stopped container's upper, so that after a crash at any
 * moment the upper is the one or the other, whole.
 */
final class UpperReplacement {
  private final Disk disk;
  private final RunRecords records;

  UpperReplacement(Disk disk, RunRecords records) {
    this.disk = disk;
    this.records = records;
  }

  /**
   * Does it; the container's lock is held.
   *
   * @param tree in the staging directory of the upper's store; its bytes are forced to the disk
   * @param directories of the upper that belong into the tree, see {@link Replacing#of}
   * @return what is left of the old upper, under a name that the sweep removes
   * @throws IOException if it failed, or the container was started; the upper is what it was
   */
  Path exchange(RunRecord run, Path tree, List<byte[]> directories) throws IOException {
    Path upper = run.union().upper();
    Path placing = Staging.of(upper).placing(run.container());
    TreeRemoval.remove(placing);
    disk.rename(tree, placing);
    Replacing replacing = Replacing.of(upper, placing, directories);
    records.replacing(run.container(), replacing);
    try {
      replacing.moveIn(disk);
    } catch (IOException e) {
      settle(run.container());
      throw e;
    }
    if (run.union().isMounted()) {
      // A start came meanwhile, has mounted the old upper, and waits for the lock: it keeps that.
      // The record, which stays, tells it to mount it again.
      disk.exchange(placing, upper);
      replacing.settle(disk);
      discard(placing);
      throw new IOException("container " + run.name() + " was started meanwhile; try again");
    }
    Path old = Staging.around(placing).trash();
    disk.rename(placing, old);
    records.replaced(run.container());
    return old;
  }

  /**
   * Ends an exchange that a crash stopped.
   *
   * @return whether there was one: what is mounted may be another directory than the upper then
   */
  boolean settle(ContainerId container) throws IOException {
    @Nullable Replacing replacing = records.replacing(container);
    if (replacing == null) {
      return false;
    }
    replacing.settle(disk);
    discard(replacing.tree());
    records.replaced(container);
    return true;
  }

  private void discard(Path tree) throws IOException {
    if (Fd.statIfThere(tree) != null) {
      Path trash = Staging.around(tree).trash();
      disk.rename(tree, trash);
      TreeRemoval.remove(trash);
    }
  }
}
