package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Encrypts and decrypts snapshots where they are, in their queues. */
public final class SnapshotSealing {
  private final CollectionGate gate;
  private final Removals removals;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Keys keys;

  SnapshotSealing(
      CollectionGate gate,
      Removals removals,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Keys keys) {
    this.gate = gate;
    this.removals = removals;
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.keys = keys;
  }

  /**
   * Encrypts one snapshot under the active key, or decrypts it. The new chunks and the new manifest
   * last before the old chunks go: after a crash in between, the snapshot is whole, one way or the
   * other, and the same call may be made again.
   *
   * @return whether there was anything to do
   * @throws RegenException.NotFound if the queue doesn't hold the snapshot
   * @throws RegenException.Refused if a key is not to be had, or the disk is full; all is as before
   * @throws RegenException.Damaged if a chunk is; all is as before
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  public boolean reseal(
      QueueName name,
      SnapshotId id,
      boolean encrypted,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    boolean complete = false;
    try (Hold _ = gate.enter()) {
      Snapshot before = snapshots.read(id).unlocked();
      Sealing sealing = Sealing.of(encrypted, keys);
      if (Objects.equals(before.key(), sealing.keyId())) {
        complete = true;
        return false;
      }
      Archive archive = resealed(before.archive(), sealing, progress, cancelled);
      chunks.force();
      replace(name, before, before.with(archive, sealing.keyId()));
      complete = true;
      return true;
    } finally {
      if (!complete) {
        removals.mayBeGarbage();
      }
      removals.collect();
    }
  }

  /** The same archive of chunks that are sealed otherwise; see {@link Resealing}. */
  Archive resealed(Archive archive, Sealing sealing, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    ChunkReader reader = new ChunkReader(chunks, keys);
    return new Resealing(chunks, reader, sealing, progress, cancelled).reseal(archive);
  }

  private void replace(QueueName name, Snapshot before, Snapshot after) throws IOException {
    Set<Digest> old = Collector.digests(before);
    chunks.requireAll(Collector.digests(after));
    try (SnapshotQueue queue = queues.open(name)) {
      if (queue.content().element(before.id()).isEmpty()) {
        throw new RegenException.NotFound("queue " + name + " has no snapshot " + before.id());
      }
      // Its time may have moved since.
      Snapshot now = snapshots.read(before.id()).unlocked();
      if (!now.archive().equals(before.archive())) {
        throw new RegenException.Refused(
            "snapshot " + before.id().shortened() + " was changed meanwhile; try again");
      }
      snapshots.write(now.with(after.archive(), after.key()));
    }
    removals.mayBeGarbage(old);
  }
}
