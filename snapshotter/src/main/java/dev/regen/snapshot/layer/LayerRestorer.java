package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Unpacks layer archives into layer trees in overlay form: device whiteouts, {@code
 * trusted.overlay.opaque}.
 *
 * <p>Several threads fetch, check and unpack chunks; one writes the tree, in the archive's order.
 * Chunks hang together only where a large file is cut, so the writing can become parallel too.
 */
public final class LayerRestorer {
  private final ChunkReader reader;
  private final int workers;

  /**
   * @param workers how many threads unpack chunks, at least 1; memory outside the heap is {@code 2
   *     × workers + 1} times the largest chunk
   */
  public LayerRestorer(ChunkReader reader, int workers) {
    this.reader = reader;
    this.workers = workers;
  }

  /**
   * Makes the tree {@code target}, which must not exist and whose parent must. Its root gets the
   * attributes of the archive's first entry. Forces nothing to disk.
   *
   * @param uidMap the container's user ids, empty if they are the host's
   * @param gidMap the container's group ids, empty if they are the host's
   * @throws RegenException.Damaged if a chunk is missing or not what its digest says, or the
   *     archive is not the one its manifest describes; nothing of the target is left
   * @throws RegenException.BadInput if the archive holds what may not be unpacked; nothing of the
   *     target is left
   * @throws RegenException.Refused if the target is there already
   * @throws IOException if the disk is full or fails; nothing of the target is left
   */
  public void restore(
      Archive archive,
      Path target,
      List<FrozenLayer.IdRange> uidMap,
      List<FrozenLayer.IdRange> gidMap,
      Progress progress)
      throws IOException {
    if (archive.entries() > Archive.ENTRIES_MAX) {
      throw new RegenException.BadInput(
          "the archive has %d entries; at most %d can be unpacked"
              .formatted(archive.entries(), Archive.ENTRIES_MAX));
    }
    try (ChunkSource source = new ChunkSource(reader, archive.chunks(), workers)) {
      TarReader tar = new TarReader(source, Archive.ENTRIES_MAX, archive.tarBytes());
      HostIds ids = new HostIds(uidMap, gidMap);
      HoleIndex holes = new IndexedHoles(EntryIndex.open(reader, archive));
      new TreeUnpacking(tar, target, ids, holes, progress).run(() -> compare(archive, tar));
    }
  }

  private static void compare(Archive archive, TarReader tar) throws RegenException.Damaged {
    if (tar.members() != archive.entries() || tar.offsetBytes() != archive.tarBytes()) {
      throw new RegenException.Damaged(
          "the archive holds %d entries in %d bytes, its manifest says %d in %d"
              .formatted(tar.members(), tar.offsetBytes(), archive.entries(), archive.tarBytes()));
    }
  }
}
