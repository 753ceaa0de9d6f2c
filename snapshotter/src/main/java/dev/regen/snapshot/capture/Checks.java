package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Reads what is stored, says what of it is damaged, and mends that. */
public final class Checks {
  private final CollectionGate gate;
  private final Removals removals;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Archiver archiver;
  private final Keys keys;

  Checks(
      CollectionGate gate,
      Removals removals,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Archiver archiver,
      Keys keys) {
    this.gate = gate;
    this.removals = removals;
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.archiver = archiver;
    this.keys = keys;
  }

  /** Reads every chunk and manifest of one queue, or of all for null, and says what is damaged. */
  public Verified verify(@Nullable QueueName name) throws IOException {
    try (Hold _ = gate.enter()) {
      return new Verification(queues, snapshots, chunks).verify(name);
    }
  }

  /** Whether a snapshot can be read as a whole; reads all of it. */
  public boolean isWhole(SnapshotId id) throws IOException {
    try (Hold _ = gate.enter()) {
      return new Verification(queues, snapshots, chunks).isWhole(id);
    }
  }

  /**
   * Mends what a verification found, where a second copy of it is at hand: chunks are made again
   * from trees that are unpacked on this host; a queue's file from its manifests. Damaged chunks
   * are set aside, so that the next capture of the same content stores them anew, and what nothing
   * names is deleted.
   *
   * @param copies where a snapshot may lie unpacked; looked for once for each that is damaged
   * @return what was done, in words
   */
  public List<String> repair(
      Verified found, Repair.Copies copies, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    try (Hold _ = gate.enter()) {
      Repair repair = new Repair(queues, snapshots, chunks, archiver, keys);
      return repair.repair(found, copies, progress, cancelled);
    } finally {
      removals.mayBeGarbage();
      removals.collect();
    }
  }
}
