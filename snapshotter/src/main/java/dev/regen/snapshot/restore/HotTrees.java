package dev.regen.snapshot.restore;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Layer trees that are ready to move in, {@code staging/hot-SNAPSHOT}: the tail's of each queue,
 * and one that a restore chose. They can always be built again from chunks.
 *
 * <p>A tree has this name only when it is whole: it is unpacked under another name first.
 */
public final class HotTrees {
  private final Disk disk;
  private final LayerRestorer restorer;
  private final SnapshotStore snapshots;

  public HotTrees(Disk disk, LayerRestorer restorer, SnapshotStore snapshots) {
    this.disk = disk;
    this.restorer = restorer;
    this.snapshots = snapshots;
  }

  /**
   * The tree of {@code snapshot} in {@code staging}, unpacked if it is not there.
   *
   * @throws RegenException.Damaged if chunks are missing or wrong; nothing is left
   */
  public Path prepare(
      Snapshot snapshot,
      Staging staging,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Progress progress)
      throws IOException {
    Path hot = staging.hot(snapshot.id().value());
    if (Fd.statIfThere(hot) != null) {
      return hot;
    }
    Path building = staging.building();
    try {
      restore(snapshot, building, uidMap, gidMap, progress);
      disk.rename(building, hot);
    } catch (IOException | RuntimeException e) {
      TreeRemoval.remove(building);
      if (e instanceof RuntimeException || Fd.statIfThere(hot) == null) {
        throw e;
      }
      // Somebody else unpacked the same snapshot at the same time, and was first.
    }
    return hot;
  }

  private void restore(
      Snapshot snapshot,
      Path building,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Progress progress)
      throws IOException {
    try {
      restorer.restore(snapshot.archive(), building, uidMap, gidMap, progress);
    } catch (RegenException.Damaged e) {
      // While its chunks were read it may have been encrypted or decrypted, and they collected.
      Snapshot now = snapshots.read(snapshot.id());
      if (now.archive().equals(snapshot.archive())) {
        throw e;
      }
      restorer.restore(now.archive(), building, uidMap, gidMap, progress);
    }
  }

  /**
   * Takes a tree that was archived as {@code snapshot}, so that the next run need not unpack it.
   */
  public void adopt(Path tree, SnapshotId snapshot) throws IOException {
    Path hot = Staging.around(tree).hot(snapshot.value());
    if (Fd.statIfThere(hot) != null) {
      drop(hot);
    }
    disk.rename(tree, hot);
  }

  /** Removes every hot tree in {@code staging} that is not of one of {@code wanted}. */
  public void keepOnly(Set<SnapshotId> wanted, Staging staging) throws IOException {
    for (Path tree : staging.trees()) {
      String name = String.valueOf(tree.getFileName());
      if (name.startsWith(Staging.HOT)
          && wanted.stream().noneMatch(id -> name.equals(Staging.HOT + id))) {
        drop(tree);
      }
    }
  }

  private void drop(Path hot) throws IOException {
    Path trash = Staging.around(hot).trash();
    disk.rename(hot, trash);
    TreeRemoval.remove(trash);
  }
}
