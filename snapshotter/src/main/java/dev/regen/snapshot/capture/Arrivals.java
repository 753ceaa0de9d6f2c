package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Appended;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes in snapshots that another host made: {@link #begin}, then put into the chunk store what
 * {@link #missing} names, then {@link #land}.
 *
 * <p>A snapshot is whole in its queue or absent, wherever a crash comes. What was fetched stays
 * after one, and after an exception, until it lands or is {@link #giveUpOlderThan given up}.
 */
public final class Arrivals {
  private static final Logger LOG = LoggerFactory.getLogger(Arrivals.class);

  private final CollectionGate gate;
  private final Removals removals;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Arriving arriving;
  private volatile Watcher watcher = (_, _, _) -> {};

  /** Hears of snapshots that begin to arrive; once one is in its queue, the queue tells of it. */
  @FunctionalInterface
  public interface Watcher {
    /**
     * As a {@link dev.regen.snapshot.queue.QueueWatcher}, this waits for nothing and does not fail.
     *
     * @param arriving false if it is given up
     */
    void arriving(QueueName queue, SnapshotId id, boolean arriving);
  }

  Arrivals(
      CollectionGate gate,
      Removals removals,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Arriving arriving) {
    this.gate = gate;
    this.removals = removals;
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.arriving = arriving;
  }

  public void watch(Watcher told) {
    watcher = told;
  }

  /**
   * Says what will come: from now on none of its chunks is collected.
   *
   * @param manifest as the other host has it; nothing in it is believed
   * @throws RegenException.Damaged if it is no manifest of that snapshot in that queue
   */
  public Snapshot begin(QueueName queue, SnapshotId id, byte[] manifest) throws IOException {
    // A collection that runs now has asked before what is to stay.
    try (Hold _ = gate.enter()) {
      Snapshot snapshot = arriving.begin(id, manifest);
      if (!snapshot.queue().equals(queue)) {
        arriving.remove(id);
        throw new RegenException.Damaged(
            "the store's manifest of " + id + " is of queue " + snapshot.queue());
      }
      watcher.arriving(queue, id, true);
      return snapshot;
    } catch (DiskFullException e) {
      throw full(e);
    }
  }

  /** Those chunks of a snapshot that are not here. */
  public Set<Digest> missing(Snapshot snapshot) throws IOException {
    return chunks.missing(Collector.digests(snapshot));
  }

  /**
   * Appends a snapshot to its queue, which is made if there is none; it survives a power cut once
   * this has returned. A queue made for an encrypted snapshot encrypts.
   *
   * @param snapshot as {@link #begin} returned it
   * @param told its times and its end, as they were in its queue
   * @param keep the length of a new queue
   * @return where it stands now, and what left the queue for it; if it stood there before, nothing
   *     has changed
   * @throws IOException if a chunk is missing; nothing has changed then
   */
  public Appended land(Snapshot snapshot, Element told, int keep) throws IOException {
    Appended landed;
    try (Hold _ = gate.enter()) {
      chunks.force();
      chunks.requireAll(Collector.digests(snapshot));
      landed = append(snapshot, told, keep);
      arriving.remove(snapshot.id());
    } catch (DiskFullException e) {
      throw full(e);
    }
    removals.forget(landed.left());
    removals.collect();
    return landed;
  }

  /** Makes chunks last that were missing of a snapshot which stands in its queue. */
  public void force() throws IOException {
    chunks.force();
  }

  /** A snapshot is not waited for any more; its chunks go, unless others need them. */
  public void giveUp(SnapshotId id) throws IOException {
    remove(id);
    removals.mayBeGarbage();
    removals.collect();
  }

  /**
   * The element of a queue that an address names.
   *
   * @throws RegenException.NotFound if there is none, or no such queue
   * @throws RegenException.Refused if that snapshot is still arriving: nothing can be done with it
   *     here until it has
   */
  public Element find(QueueName queue, String address) throws IOException {
    try {
      return queues.look(queue).find(address, ZoneId.systemDefault());
    } catch (RegenException.NotFound e) {
      for (Snapshot snapshot : uploading(queue)) {
        String id = snapshot.id().value();
        if (address.equals("latest") || id.startsWith(address.toLowerCase(Locale.ROOT))) {
          throw new RegenException.Refused(
              snapshot.words()
                  + " is uploading: not all of it is here yet. If that was interrupted, pull it"
                  + " again");
        }
      }
      throw e;
    }
  }

  /** What is arriving in a queue, or began to and was interrupted; in no order. */
  public List<Snapshot> uploading(QueueName queue) throws IOException {
    List<Snapshot> own =
        arriving.all().stream().filter(snapshot -> snapshot.queue().equals(queue)).toList();
    if (own.isEmpty() || !queues.exists(queue)) {
      return own;
    }
    QueueContent content = queues.look(queue);
    return own.stream().filter(snapshot -> content.element(snapshot.id()).isEmpty()).toList();
  }

  /**
   * What began to arrive before {@code time} is no longer waited for. If that fails it is logged,
   * and left to the next call.
   */
  public void giveUpOlderThan(Instant time) {
    try {
      for (SnapshotId id : arriving.before(time)) {
        remove(id);
        removals.mayBeGarbage();
      }
    } catch (IOException e) {
      LOG.warn("what began to arrive and never did stays on the disk", e);
    }
  }

  private void remove(SnapshotId id) throws IOException {
    List<Snapshot> all = arriving.all();
    arriving.remove(id);
    for (Snapshot snapshot : all) {
      if (snapshot.id().equals(id)) {
        watcher.arriving(snapshot.queue(), id, false);
      }
    }
  }

  private Appended append(Snapshot snapshot, Element told, int keep) throws IOException {
    QueueName name = snapshot.queue();
    boolean isNew = !queues.exists(name);
    try (SnapshotQueue queue = isNew ? queues.openOrCreate(name, keep) : queues.open(name)) {
      QueueContent content = queue.content();
      if (content.element(snapshot.id()).isPresent()) {
        queue.settle();
        return new Appended(content.element(snapshot.id()).get(), List.of());
      }
      if (isNew && snapshot.key() != null) {
        queue.encrypt(true);
      }
      snapshots.writeStored(snapshot.id(), arriving.manifest(snapshot.id()));
      return queue.append(new Element(snapshot.id(), told.since(), told.time(), told.end(), false));
    } catch (IOException | RuntimeException e) {
      if (isNew) {
        queues.removeUnused(name);
      }
      throw e;
    }
  }

  /** What a full disk means for a snapshot that arrives. */
  public static RegenException full(DiskFullException cause) {
    RegenException.Refused full =
        new RegenException.Refused(
            "the disk is full: what has arrived stays for a day; make room, and pull again ("
                + Why.of(cause)
                + ")");
    full.initCause(cause);
    return full;
  }
}
