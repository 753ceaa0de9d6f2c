package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes snapshots out of their queues, and deletes what nothing names any more.
 *
 * <p>A snapshot leaves its queue first, then its manifest goes, then the chunks that no other
 * manifest names. What a crash or a failing disk leaves of that is deleted by the next {@link
 * #sweep}. Safe for use by several threads at once.
 */
public final class Removals {
  private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

  private final CollectionGate gate;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Collector collector;
  private final Garbage garbage = new Garbage();

  Removals(
      CollectionGate gate, SnapshotQueues queues, SnapshotStore snapshots, Collector collector) {
    this.gate = gate;
    this.queues = queues;
    this.snapshots = snapshots;
    this.collector = collector;
  }

  /**
   * Takes one snapshot out of its queue and deletes its data.
   *
   * @throws RegenException.NotFound if the queue doesn't hold it
   * @throws RegenException.Refused if it is pinned, or chosen for the next run
   */
  public void remove(QueueName name, SnapshotId id) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      queue.remove(id);
    }
    forget(List.of(id));
    collect();
  }

  /**
   * Removes a queue with all its snapshots and their data.
   *
   * @throws RegenException.NotFound if there is no such queue
   * @throws RegenException.Refused if a snapshot is pinned
   */
  public void remove(QueueName name) throws IOException {
    forget(queues.remove(name));
    collect();
  }

  /** Sets a queue's length, and deletes the data of what leaves it for that; returns their ids. */
  public List<SnapshotId> keep(QueueName name, int length) throws IOException {
    List<SnapshotId> left;
    try (SnapshotQueue queue = queues.open(name)) {
      left = queue.keep(length);
    }
    forget(left);
    collect();
    return left;
  }

  /**
   * Deletes what a crash left: manifests that their queue doesn't name, chunks that no manifest
   * names, unfinished files. To be called at start, before or after the spool is drained.
   *
   * @throws RegenException.Refused while anything is captured or read
   */
  public Swept sweep() throws IOException {
    try (Hold _ =
        gate.tryCollect()
            .orElseThrow(
                () -> new RegenException.Refused("snapshots are being captured or read"))) {
      garbage.take();
      return collector.sweep();
    }
  }

  /** Removes manifests that no queue names any more. If that fails, the next sweep does it. */
  void forget(Collection<SnapshotId> ids) {
    if (ids.isEmpty()) {
      return;
    }
    try {
      for (SnapshotId id : ids) {
        Optional<Snapshot> snapshot = snapshots.readIfWhole(id);
        if (snapshot.isEmpty()) {
          garbage.addAll();
        } else {
          garbage.add(Collector.digests(snapshot.get()));
        }
      }
      snapshots.remove(ids);
    } catch (IOException e) {
      LOG.warn("snapshots that left their queue stay on the disk until the next sweep", e);
    }
  }

  /** Some of these chunks may be needed no more; {@link #collect} looks. */
  void mayBeGarbage(Set<Digest> digests) {
    garbage.add(digests);
  }

  /** Any chunk may be needed no more; {@link #collect} looks. */
  void mayBeGarbage() {
    garbage.addAll();
  }

  /**
   * Deletes what snapshots that left their queues were the last to need, unless chunks are in use:
   * then the next call does it. What fails is logged, and left to the next sweep.
   */
  public void collect() {
    if (garbage.isEmpty()) {
      return;
    }
    try {
      Optional<Hold> alone = gate.tryCollect();
      if (alone.isEmpty()) {
        return;
      }
      try (Hold _ = alone.get()) {
        Garbage.Taken taken = garbage.take();
        Swept swept = taken.all() ? collector.sweep() : collector.collect(taken.digests());
        swept.kept().forEach(reason -> LOG.warn("not deleted: {}", reason));
      }
    } catch (IOException e) {
      LOG.warn("chunks that nobody needs stay on the disk until the next sweep", e);
    }
  }
}
