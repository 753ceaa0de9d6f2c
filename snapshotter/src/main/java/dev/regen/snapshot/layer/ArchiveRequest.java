package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.snapshot.chunk.Sealing;
import java.util.List;

/**
 * How to archive a layer tree.
 *
 * @param placeholders paths from the container's root that are left out while they are an empty
 *     file or an empty directory
 * @param excludes paths from the container's root that are left out with all below them
 * @param uidMap the container's user ids, empty if they are the host's
 * @param gidMap the container's group ids, empty if they are the host's
 * @param sealing whether and how chunks are encrypted
 */
public record ArchiveRequest(
    List<String> placeholders,
    List<String> excludes,
    List<FrozenLayer.IdRange> uidMap,
    List<FrozenLayer.IdRange> gidMap,
    Sealing sealing) {
  /** All of the tree, ids as they are, not encrypted. */
  public static final ArchiveRequest PLAIN =
      new ArchiveRequest(List.of(), List.of(), List.of(), List.of(), Sealing.NONE);

  public ArchiveRequest {
    placeholders = List.copyOf(placeholders);
    excludes = List.copyOf(excludes);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
  }

  /** All of {@code layer} that its container wants kept. */
  public static ArchiveRequest of(FrozenLayer layer, Sealing sealing) {
    LayerFacts facts = layer.facts();
    return new ArchiveRequest(
        layer.placeholders(), facts.excludes(), facts.uidMap(), facts.gidMap(), sealing);
  }
}
