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
   * Does it; the container's lock is held. What was done lasts after {@link #finish}, and until
   * then is on record.
   *
   * @param tree in the staging directory of the upper's store; its bytes are forced to the disk
   * @param directories of the upper that belong into the tree, see {@link ReplacementRecord#of}
   * @return what is left of the old upper, under a name that the sweep removes; to be kept until
   *     the exchange lasts
   * @throws IOException if it failed, or the container was started; the upper is what it was
   */
  Path exchange(RunRecord run, Path tree, List<byte[]> directories) throws IOException {
    Path upper = run.union().upper();
    Path placing = Staging.of(upper).placing(run.container());
    TreeRemoval.remove(placing);
    ReplacementRecord record = ReplacementRecord.of(upper, tree, placing, directories);
    records.replacing(run.container(), record);
    try {
      disk.rename(tree, placing);
      record.moveIn(disk);
    } catch (IOException e) {
      settle(run.container());
      throw e;
    }
    if (run.union().isMounted()) {
      // A start came meanwhile, has mounted the old upper, and waits for the lock: it keeps that.
      // The record, which stays, tells it to mount it again.
      disk.exchange(placing, upper);
      record.settle(disk);
      discard(placing);
      throw new IOException("container " + run.name() + " was started meanwhile; try again");
    }
    Path old = Staging.around(placing).trash();
    disk.rename(placing, old);
    return old;
  }

  /** Makes an exchange last that was done, and forgets it; takes the container's lock for that. */
  void finish(RunRecord run) throws IOException {
    Path upper = run.union().upper();
    disk.forceFileSystem(upper);
    try (Fd _ = records.lock(run.container())) {
      ReplacementRecord record = records.replacing(run.container());
      // A start may have settled it, and another have begun since.
      if (record != null && record.isIn()) {
        records.replaced(run.container());
      }
    }
  }

  /**
   * Ends an exchange that a crash stopped; the container's lock is held.
   *
   * @return whether there was one: what is mounted may be another directory than the upper then
   * @throws IOException if the upper could not be made whole; nothing may run on it then
   */
  boolean settle(ContainerId container) throws IOException {
    @Nullable ReplacementRecord record = records.replacing(container);
    if (record == null) {
      return false;
    }
    record.settle(disk);
    if (Fd.statIfThere(record.upper()) != null) {
      // The record may be on another file system: what it is about has to last before it goes.
      disk.forceFileSystem(record.upper());
    }
    discard(record.tree());
    records.replaced(container);
    return true;
  }

  /** Whether parts of the container's layer may be elsewhere: then nothing may run on it. */
  boolean isUnderWay(ContainerId container) throws IOException {
    ReplacementRecord record = records.replacing(container);
    return record != null
        && Fd.statIfThere(record.upper()) != null
        && Fd.statIfThere(record.tree()) != null
        && !record.isIn();
  }

  private void discard(Path tree) throws IOException {
    if (Fd.statIfThere(tree) != null) {
      Path trash = Staging.around(tree).trash();
      disk.rename(tree, trash);
      TreeRemoval.remove(trash);
    }
  }
}
