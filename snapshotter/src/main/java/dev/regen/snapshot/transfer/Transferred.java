package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.Snapshot;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What a push or a pull did.
 *
 * @param chunks how many were sent or fetched
 * @param bytes what these took
 * @param totalChunks how many different ones the snapshot has
 * @param totalBytes what these take
 */
public record Transferred(long chunks, long bytes, long totalChunks, long totalBytes) {
  static Transferred of(Snapshot snapshot, Collection<Digest> moved) {
    long bytes = 0;
    long total = 0;
    Map<Digest, Placed> all = places(snapshot);
    Set<Digest> set = Set.copyOf(moved);
    for (Placed placed : all.values()) {
      total += placed.chunk().storedBytes();
      bytes += set.contains(placed.chunk().digest()) ? placed.chunk().storedBytes() : 0;
    }
    return new Transferred(set.size(), bytes, all.size(), total);
  }

  /** A chunk and its first place among all chunks of a snapshot, those of the index behind. */
  record Placed(Chunk chunk, int index) implements Crew.Item {}

  /**
   * Each chunk of a snapshot once, in the order in which they travel: the entry index first,
   * without which nobody can begin to unpack.
   */
  static List<Placed> inOrder(Snapshot snapshot) {
    Map<Digest, Placed> all = places(snapshot);
    Set<Placed> ordered = new LinkedHashSet<>();
    snapshot
        .archive()
        .entryIndex()
        .forEach(chunk -> ordered.add(Objects.requireNonNull(all.get(chunk.digest()))));
    ordered.addAll(all.values());
    return List.copyOf(ordered);
  }

  /** Each chunk of a snapshot once, in order. */
  static Map<Digest, Placed> places(Snapshot snapshot) {
    Map<Digest, Placed> places = new LinkedHashMap<>();
    int index = 0;
    for (Chunk chunk : snapshot.archive().chunks()) {
      places.putIfAbsent(chunk.digest(), new Placed(chunk, index++));
    }
    for (Chunk chunk : snapshot.archive().entryIndex()) {
      places.putIfAbsent(chunk.digest(), new Placed(chunk, index++));
    }
    return places;
  }
}
