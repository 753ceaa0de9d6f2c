package dev.regen.snapshot.layer;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks layer archives into layer trees in overlay form: device whiteouts, {@code
 * trusted.overlay.opaque}.
 *
 * <p>Several threads unpack one part of the archive each, in its order; see {@link
 * ParallelUnpacking}. The tree is the same as if one had done it all.
 */
public final class LayerRestorer {
  private static final int WHILE_OPEN = 0700;

  private final ChunkReader reader;
  private final int workers;

  /**
   * @param workers how many threads unpack, at least 1; memory outside the heap is six times the
   *     largest chunk for each
   */
  public LayerRestorer(ChunkReader reader, int workers) {
    this.reader = reader;
    this.workers = workers;
  }

  /** As this one, with chunks from elsewhere. */
  public LayerRestorer of(ChunkReader.Source chunks) {
    return new LayerRestorer(reader.of(chunks), workers);
  }

  /** Makes the tree anew, never cancelled but by an interrupt. */
  public void restore(
      Archive archive,
      Path target,
      List<FrozenLayer.IdRange> uidMap,
      List<FrozenLayer.IdRange> gidMap,
      Progress progress)
      throws IOException {
    restore(archive, target, uidMap, gidMap, progress, () -> false);
  }

  /**
   * Makes the tree {@code target}, which must not exist and whose parent must. Its root gets the
   * attributes of the archive's first entry. Forces nothing to disk.
   *
   * @param uidMap the container's user ids, empty if they are the host's
   * @param gidMap the container's group ids, empty if they are the host's
   * @param progress told about twenty times a second, on this thread
   * @param cancelled asked at least every 100 ms, on this thread
   * @throws java.util.concurrent.CancellationException if {@code cancelled} said so, or this thread
   *     was interrupted; nothing of the target is left
   * @throws RegenException.Damaged if a chunk is missing or not what its digest says, or the
   *     archive is not the one its manifest describes; nothing of the target is left
   * @throws RegenException.BadInput if the archive holds what may not be unpacked; nothing of the
   *     target is left
   * @throws RegenException.Refused if the target is there already; nothing is changed
   * @throws IOException if the disk is full or fails; nothing of the target is left
   */
  public void restore(
      Archive archive,
      Path target,
      List<FrozenLayer.IdRange> uidMap,
      List<FrozenLayer.IdRange> gidMap,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    HostIds ids = new HostIds(uidMap, gidMap);
    Watch watch = new Watch(progress, cancelled);
    restore(archive, target, ids, null, TakeOver.Way.LINK, SameDirectories.NONE, watch);
  }

  /**
   * As above, for a tree that is to take the place of {@code over}: files that are the same there
   * are linked, only what differs is written, and directories that are the same as a whole are left
   * to be moved.
   *
   * @return the paths of those directories, relative to both trees, none in another; those around
   *     them are made and have their times
   * @throws RegenException.Refused also if {@code over} changes meanwhile; nothing of the target is
   *     left then
   */
  public List<byte[]> restoreOver(
      PresentTree over,
      Archive archive,
      Path target,
      List<FrozenLayer.IdRange> uidMap,
      List<FrozenLayer.IdRange> gidMap,
      Progress progress)
      throws IOException {
    SameDirectories same = SameDirectories.find(reader, archive, over);
    HostIds ids = new HostIds(uidMap, gidMap);
    restore(archive, target, ids, over, TakeOver.Way.LINK, same, new Watch(progress, () -> false));
    return same.paths();
  }

  /**
   * Finds what {@link #restoreOutOf} can move as a whole; reads the archive's entry index alone.
   */
  public SameDirectories same(PresentTree present, Archive archive) throws IOException {
    return SameDirectories.find(reader, archive, present);
  }

  /**
   * As {@link #restore}, with the host's own ids, of a tree that nobody needs any more: what is the
   * same there is moved out of it, directories that are the same as a whole in one step. What is
   * left of that tree is to be removed, whether this succeeds or fails; nothing of it is a further
   * name of a file that was moved.
   *
   * @param same what {@link #same} found of them
   * @throws RegenException.Refused also if {@code taken} is not what it was when it was looked at
   */
  public void restoreOutOf(
      PresentTree taken,
      SameDirectories same,
      Archive archive,
      Path target,
      Disk disk,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    HostIds ids = new HostIds(List.of(), List.of());
    restore(archive, target, ids, taken, disk::move, same, new Watch(progress, cancelled));
    boolean whole = false;
    try (Fd from = Fd.directory(taken.directory());
        Fd to = Fd.directory(target)) {
      same.take(from, to, disk::move);
      taken.furtherNames().remove(taken.directory(), from);
      whole = true;
    } finally {
      if (!whole) {
        TreeRemoval.remove(target);
      }
    }
  }

  private void restore(
      Archive archive,
      Path target,
      HostIds ids,
      @Nullable PresentTree over,
      TakeOver.Way way,
      SameDirectories same,
      Watch watch)
      throws IOException {
    if (archive.entries() > Archive.ENTRIES_MAX) {
      throw new RegenException.BadInput(
          "the archive has %d entries; at most %d can be unpacked"
              .formatted(archive.entries(), Archive.ENTRIES_MAX));
    }
    NewTree.refuseIfThere(target);
    boolean whole = false;
    try (Fd root = NewTree.make(target, WHILE_OPEN);
        Fd present = Fd.directory(over == null ? target : over.directory())) {
      new ParallelUnpacking(
              reader, archive, root, ids, over, over == null ? null : present, way, same)
          .run(workers, watch);
      whole = true;
    } finally {
      if (!whole) {
        TreeRemoval.remove(target);
      }
    }
  }
}
