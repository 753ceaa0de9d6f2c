package dev.regen.snapshot.care;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.RemoteQueue;
import dev.regen.snapshot.transfer.StoredChunks;
import dev.regen.snapshot.transfer.StoredSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Removes snapshots from a store: first what is said of them, from when on nobody can pull them,
 * then those of their chunks that nobody else needs. What cannot be deleted now (it is leased, or
 * the store deletes in two steps) is left for a {@link StoreCollection}.
 */
public final class StoreRemoval {
  private final RemoteStore store;

  public StoreRemoval(RemoteStore store) {
    this.store = store;
  }

  /**
   * What was done.
   *
   * @param snapshots that are gone
   * @param uploading of the queue, which are still being sent, or were given up, and stay
   * @param deleted chunks that are gone
   * @param left chunks that are not needed, as far as is known, and are still there
   */
  public record Result(List<StoredSnapshot> snapshots, int uploading, long deleted, long left) {
    public Result {
      snapshots = List.copyOf(snapshots);
    }
  }

  /**
   * Removes one snapshot.
   *
   * @throws RegenException.NotFound if the store has no such snapshot
   * @throws RegenException.Refused if it is uploading
   * @throws IOException if a server does not answer: one that comes back would have it still
   */
  public Result remove(QueueName queue, String address) throws IOException {
    store.requireAll();
    RemoteQueue remote = new RemoteQueue(store, queue);
    return remove(remote, List.of(remote.find(address)), 0);
  }

  /**
   * Removes all of a queue that is complete.
   *
   * @throws RegenException.NotFound if the store has nothing of it
   * @throws RegenException.Refused if nothing of it is complete, or one is being sent anew
   * @throws IOException if a server does not answer
   */
  public Result removeQueue(QueueName queue) throws IOException {
    store.requireAll();
    RemoteQueue remote = new RemoteQueue(store, queue);
    RemoteQueue.Listing listing = remote.list();
    if (listing.complete().isEmpty()) {
      remote.find("latest");
    }
    return remove(remote, listing.complete(), listing.uploading().size());
  }

  private Result remove(RemoteQueue remote, List<StoredSnapshot> snapshots, int uploading)
      throws IOException {
    Set<Digest> chunks = new LinkedHashSet<>();
    for (StoredSnapshot snapshot : snapshots) {
      chunks.addAll(StoredChunks.of(store, snapshot));
    }
    for (StoredSnapshot snapshot : snapshots) {
      remote.remove(snapshot.id());
    }
    List<Digest> free = new ArrayList<>();
    long left;
    try {
      NeededChunks needed = new NeededChunks(store);
      needed.look(_ -> false);
      chunks.stream().filter(digest -> !needed.contains(digest)).forEach(free::add);
      // What an image on its way needs is not known yet.
      left = needed.imagesOnTheirWay().isEmpty() ? store.delete(free).size() : free.size();
    } catch (RegenException.Refused | RegenException.Damaged e) {
      // What others need nobody can say now; a collection will, or say why it cannot.
      free = List.copyOf(chunks);
      left = free.size();
    }
    return new Result(snapshots, uploading, free.size() - left, left);
  }
}
