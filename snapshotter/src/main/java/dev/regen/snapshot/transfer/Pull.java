package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.queue.Appended;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Fetches snapshots from a store into the queues of this host: what is missing here of a snapshot's
 * chunks, each compared with its digest, then the snapshot is appended to its queue.
 *
 * <p>It is whole in the queue or absent. Interrupted anywhere and called again within a day, it
 * fetches what is still missing.
 */
public final class Pull {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Arrivals arrivals;

  public Pull(
      SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks, Arrivals arrivals) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.arrivals = arrivals;
  }

  /**
   * What a pull did.
   *
   * @param here whether the queue held the snapshot already; only what was missing of it came then
   * @param appended where it stands now
   */
  public record Result(
      Snapshot snapshot, boolean here, Appended appended, Transferred transferred) {}

  /**
   * Fetches one snapshot; it is in its queue, and survives a power cut, once this has returned.
   *
   * @param address as {@link QueueContent#find} knows them
   * @throws RegenException.NotFound if the store has no such snapshot
   * @throws RegenException.Refused if it is still uploading, or the disk is full here
   * @throws RegenException.Damaged if the store has other bytes than it should; nothing of these is
   *     kept
   * @throws java.util.concurrent.CancellationException soon after the progress said so
   * @throws IOException if the store does not answer
   */
  public Result pull(RemoteStore store, QueueName name, String address, TransferProgress progress)
      throws IOException {
    progress.step("asking what is there");
    StoredSnapshot stored = new RemoteQueue(store, name).find(address);
    SnapshotId id = stored.id();
    boolean here = queues.exists(name) && queues.look(name).element(id).isPresent();
    Snapshot snapshot =
        here ? snapshots.read(id) : arrivals.begin(name, id, stored.manifest().fetch(store));
    Set<Digest> missing = arrivals.missing(snapshot);
    if (!missing.isEmpty()) {
      fetch(store, stored, snapshot, missing, progress);
    }
    Transferred transferred = Transferred.of(snapshot, missing);
    if (here) {
      arrivals.force();
      return new Result(
          snapshot,
          true,
          new Appended(queues.look(name).element(id).orElse(stored.element()), List.of()),
          transferred);
    }
    progress.step("appending");
    Appended landed = arrivals.land(snapshot, stored.element(), stored.keep());
    return new Result(snapshot, false, landed, transferred);
  }

  private void fetch(
      RemoteStore store,
      StoredSnapshot stored,
      Snapshot snapshot,
      Set<Digest> missing,
      TransferProgress progress)
      throws IOException {
    List<Transferred.Placed> items =
        Transferred.inOrder(snapshot).stream()
            .filter(placed -> missing.contains(placed.chunk().digest()))
            .toList();
    // Who asks leases them: nobody deletes them there meanwhile.
    store.missing(missing);
    progress.step("fetching");
    progress.expected(
        items.size(), items.stream().mapToLong(placed -> placed.chunk().storedBytes()).sum());
    Fetching fetching = new Fetching(store, chunks, progress, _ -> {});
    try {
      fetching.run(items);
    } catch (DiskFullException e) {
      throw Arrivals.full(e);
    }
    if (!fetching.lost().isEmpty()) {
      throw notAll(store, stored, snapshot, fetching.lost());
    }
  }

  /** Whoever pushes it again sends those again that the store only seems to have. */
  private static RegenException notAll(
      RemoteStore store,
      StoredSnapshot stored,
      Snapshot snapshot,
      Map<Transferred.Placed, RegenException> lost) {
    Map<Transferred.Placed, String> words = new HashMap<>();
    lost.forEach((placed, e) -> words.put(placed, String.valueOf(e.getMessage())));
    RegenException.Damaged damaged =
        new RegenException.Damaged(Following.lostWords(snapshot, words));
    try {
      new LostChunks(store, stored.queue(), stored.id())
          .tell(stored.manifest(), lost.keySet().stream().map(Transferred.Placed::index).toList());
    } catch (IOException e) {
      damaged.addSuppressed(e);
    }
    return damaged;
  }
}
