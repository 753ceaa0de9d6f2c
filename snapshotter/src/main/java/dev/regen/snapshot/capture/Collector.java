package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Deletes manifests that no queue names, then chunks that no manifest names.
 *
 * <p>In doubt it keeps: chunks while one manifest cannot be read, since that one may name them;
 * manifests whose queue cannot be read or is not there. The caller is alone in the {@link
 * CollectionGate}.
 */
final class Collector {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Promised promised;

  /** Tells chunks that no manifest names yet, and that must stay all the same. */
  interface Promised {
    /**
     * Their digests.
     *
     * @throws IOException if they are not known; then nothing may be deleted
     */
    Set<Digest> digests() throws IOException;
  }

  Collector(SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks, Promised promised) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.promised = promised;
  }

  /** Every chunk that an archive is made of, its index included. */
  static Set<Digest> digests(Snapshot snapshot) {
    Set<Digest> digests = new HashSet<>();
    snapshot.archive().chunks().forEach(chunk -> digests.add(chunk.digest()));
    snapshot.archive().entryIndex().forEach(chunk -> digests.add(chunk.digest()));
    return digests;
  }

  /** Deletes those of {@code candidates} that no manifest names. */
  Swept collect(Set<Digest> candidates) throws IOException {
    Set<Digest> garbage = new HashSet<>(candidates);
    List<String> kept = new ArrayList<>();
    for (SnapshotId id : snapshots.list()) {
      try {
        digests(snapshots.read(id)).forEach(garbage::remove);
      } catch (RegenException e) {
        kept.add("all chunks: " + Why.of(e));
      }
    }
    garbage.removeAll(promised.digests());
    if (!kept.isEmpty()) {
      return new Swept(0, 0, kept);
    }
    chunks.delete(garbage);
    return new Swept(0, garbage.size(), List.of());
  }

  /** Deletes all that no queue and no manifest names, and the rests of unfinished writes. */
  Swept sweep() throws IOException {
    // Before anything goes: a queue that a power cut could still take back must not be believed.
    queues.sweep();
    snapshots.sweep();
    List<String> kept = new ArrayList<>();
    Map<QueueName, Optional<Set<SnapshotId>>> named = new HashMap<>();
    List<SnapshotId> orphans = new ArrayList<>();
    Set<Digest> needed = new HashSet<>();
    boolean allRead = true;
    for (SnapshotId id : snapshots.list()) {
      try {
        Snapshot snapshot = snapshots.read(id);
        Optional<Set<SnapshotId>> queue = named.get(snapshot.queue());
        if (queue == null) {
          queue = elements(snapshot.queue(), kept);
          named.put(snapshot.queue(), queue);
        }
        if (queue.isPresent() && !queue.get().contains(id)) {
          orphans.add(id);
        } else {
          needed.addAll(digests(snapshot));
        }
      } catch (RegenException e) {
        allRead = false;
        kept.add("all chunks: " + Why.of(e));
      }
    }
    snapshots.remove(orphans);
    Set<Digest> garbage = new HashSet<>();
    if (allRead) {
      chunks.list(garbage::add);
      garbage.removeAll(needed);
      garbage.removeAll(promised.digests());
      chunks.delete(garbage);
    }
    return new Swept(orphans.size(), garbage.size(), kept);
  }

  private Optional<Set<SnapshotId>> elements(QueueName name, List<String> kept) throws IOException {
    try {
      Set<SnapshotId> ids = new HashSet<>();
      for (Element element : queues.look(name).elements()) {
        ids.add(element.id());
      }
      return Optional.of(ids);
    } catch (RegenException e) {
      kept.add("the manifests of queue '" + name + "': " + Why.of(e));
      return Optional.empty();
    }
  }
}
