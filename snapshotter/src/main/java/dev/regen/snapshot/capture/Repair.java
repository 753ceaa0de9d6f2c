package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.FrozenTree;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** One mending of what a verification found. */
public final class Repair {
  /** Where snapshots lie unpacked. */
  @FunctionalInterface
  public interface Copies {
    /** Layer trees that were the snapshot's when they were last looked at; may be empty. */
    List<Path> of(SnapshotId id) throws IOException;
  }

  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Archiver archiver;
  private final Keys keys;
  private final List<String> done = new ArrayList<>();

  Repair(
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Archiver archiver,
      Keys keys) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.archiver = archiver;
    this.keys = keys;
  }

  List<String> repair(Verified found, Copies copies, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    Set<QueueName> unreadable = new LinkedHashSet<>();
    Map<SnapshotId, Set<Digest>> damaged = new LinkedHashMap<>();
    for (Verified.Problem problem : found.problems()) {
      if (problem.kind() == Verified.Kind.QUEUE_DAMAGED) {
        unreadable.add(problem.queue());
      } else if (problem.snapshot() != null && problem.chunk() != null) {
        damaged
            .computeIfAbsent(problem.snapshot(), _ -> new LinkedHashSet<>())
            .add(problem.chunk());
      }
    }
    for (QueueName queue : unreadable) {
      queues.rebuild(queue, snapshots).close();
      done.add("queue " + queue + " was made anew from its manifests");
    }
    setAside(damaged);
    for (Map.Entry<SnapshotId, Set<Digest>> one : damaged.entrySet()) {
      makeAgain(one.getKey(), one.getValue(), copies, progress, cancelled);
    }
    return done;
  }

  private void setAside(Map<SnapshotId, Set<Digest>> damaged) throws IOException {
    Set<Digest> all = new LinkedHashSet<>();
    damaged.values().forEach(all::addAll);
    int there = 0;
    for (Digest digest : all) {
      there += isDamaged(digest) && chunks.setAside(digest) ? 1 : 0;
    }
    if (there > 0) {
      done.add(
          there + " damaged chunks were set aside; a capture of the same content makes them anew");
    }
  }

  /** Looked at again: what could not be read for another reason may be whole, and stays. */
  private boolean isDamaged(Digest digest) {
    try {
      chunks.get(digest);
      return false;
    } catch (RegenException.Damaged e) {
      return true;
    } catch (IOException e) {
      done.add("chunk " + digest + " stays where it is: it cannot be read: " + Why.of(e));
      return false;
    }
  }

  /** The same tree gives the same chunks, so a copy that is still the snapshot's fills the gaps. */
  private void makeAgain(
      SnapshotId id, Set<Digest> gone, Copies copies, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    for (Path tree : copies.of(id)) {
      Set<Digest> before = chunks.missing(gone);
      if (before.isEmpty()) {
        return;
      }
      try {
        Snapshot snapshot = snapshots.read(id);
        archiver.archive(
            new FrozenTree(tree, FrozenLayer.Kind.IN_PLACE, null),
            request(snapshot),
            new KnownGroups(chunks, new ChunkReader(chunks, keys)),
            progress,
            cancelled);
        chunks.force();
      } catch (IOException e) {
        // A start may have taken the tree meanwhile.
        done.add(
            "snapshot " + id.shortened() + ": its tree " + tree + " is of no use: " + Why.of(e));
        continue;
      }
      int made = before.size() - chunks.missing(gone).size();
      if (made > 0) {
        done.add(
            "snapshot "
                + id.shortened()
                + ": "
                + made
                + " of "
                + before.size()
                + " chunks were made again from its unpacked tree");
      }
    }
  }

  private ArchiveRequest request(Snapshot snapshot) throws IOException {
    KeyId key = snapshot.key();
    Sealing sealing = key == null ? Sealing.NONE : Sealing.under(keys.key(key));
    return new ArchiveRequest(List.of(), List.of(), List.of(), List.of(), sealing);
  }
}
