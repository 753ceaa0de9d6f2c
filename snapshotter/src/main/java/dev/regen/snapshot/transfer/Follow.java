package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.queue.Appended;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Fetches a snapshot while another host still pushes it, or before it has begun to: chunks as they
 * come, each compared with its digest. When the push is complete, what the store lacks after all is
 * {@link LostChunks named} for the other host, which sends it again.
 *
 * <p>As with {@link Pull} the snapshot is whole in its queue or absent, and one that was
 * interrupted and is called again goes on with the rest. The other host may die and push again
 * meanwhile.
 */
public final class Follow {
  private final SnapshotQueues queues;
  private final ChunkStore chunks;
  private final Arrivals arrivals;
  private final Pull pull;

  public Follow(SnapshotQueues queues, ChunkStore chunks, Arrivals arrivals, Pull pull) {
    this.queues = queues;
    this.chunks = chunks;
    this.arrivals = arrivals;
    this.pull = pull;
  }

  /** What is done with chunks before all of them are here. */
  @FunctionalInterface
  public interface Ahead {
    /** Nothing. */
    Ahead NOTHING = (_, _) -> Begun.NOTHING;

    /**
     * Begins; returns at once.
     *
     * @param snapshot what its manifest says, which was compared with its digest
     * @param arriving waits for chunks that are not here yet; ends by an exception if they do not
     *     come
     */
    Begun begin(Snapshot snapshot, ChunkReader.Source arriving);
  }

  /** What was begun. */
  public interface Begun {
    /** Nothing. */
    Begun NOTHING = () -> {};

    /** The snapshot is whole in its queue. */
    default void landed() {}

    /** Ends it; no chunk comes any more. */
    void end();
  }

  /**
   * Fetches one snapshot; it is in its queue, and survives a power cut, once this has returned.
   *
   * @param address {@code latest} is what is being pushed, the newest if several are; where nothing
   *     is, or something older than the newest that is complete, that one, unless it is here
   *     already; then what will be pushed next. Other addresses are looked up among both
   * @param patience the longest that nothing may come
   * @throws RegenException.Refused if nothing came for that time; or the snapshot was removed on
   *     the host that pushed it, which ended the push; or the disk is full here. What came stays,
   *     unless it was removed there
   * @throws RegenException.Damaged if the store has other bytes than it should, and nobody sent
   *     them again
   * @throws java.util.concurrent.CancellationException soon after the progress said so
   * @throws IOException if the store does not answer
   */
  public Pull.Result follow(
      RemoteStore store,
      QueueName name,
      String address,
      Duration patience,
      Ahead ahead,
      TransferProgress progress)
      throws IOException {
    RemoteQueue remote = new RemoteQueue(store, name);
    StoredSnapshot stored = await(remote, name, address, new Patience(patience, progress));
    if (isHere(name, stored.id())) {
      return pull.pull(store, name, stored.id().value(), progress);
    }
    while (true) {
      Snapshot snapshot = arrivals.begin(name, stored.id(), stored.manifest().fetch(store));
      Following following =
          new Following(
              store,
              chunks,
              stored,
              snapshot,
              arrivals.missing(snapshot),
              new Patience(patience, progress),
              progress);
      Optional<StoredSnapshot> other;
      Begun begun = ahead.begin(snapshot, following.arriving());
      try {
        other = following.run();
        if (other.isEmpty()) {
          return landed(following, begun, progress);
        }
      } catch (DiskFullException e) {
        throw Arrivals.full(e);
      } catch (Following.GivenUp e) {
        arrivals.giveUp(stored.id());
        throw new RegenException.Refused(e.getMessage());
      } finally {
        following.arriving().end();
        begun.end();
      }
      stored = other.get();
    }
  }

  private Pull.Result landed(Following following, Begun begun, TransferProgress progress)
      throws IOException {
    progress.step("appending");
    Snapshot snapshot = following.snapshot();
    StoredSnapshot stored = following.stored();
    Appended landed = arrivals.land(snapshot, stored.element(), stored.keep());
    begun.landed();
    return new Pull.Result(snapshot, false, landed, following.transferred());
  }

  private StoredSnapshot await(
      RemoteQueue remote, QueueName name, String address, Patience patience) throws IOException {
    patience.step("asking what is there");
    Optional<StoredSnapshot> found = choose(remote, name, address);
    if (found.isEmpty()) {
      patience.step("waiting for a push of queue " + name + " to begin");
    }
    while (found.isEmpty()) {
      if (patience.isOver()) {
        throw new RegenException.Refused(
            "nobody began to push "
                + (address.equals("latest") ? "queue '" + name + "'" : name + "@" + address)
                + " within "
                + patience.limitWords()
                + "; run 'regen push "
                + name
                + "' on the other host, and this again");
      }
      patience.pause("waiting for a push of queue " + name + " to begin");
      found = choose(remote, name, address);
    }
    return found.get();
  }

  private Optional<StoredSnapshot> choose(RemoteQueue remote, QueueName name, String address)
      throws IOException {
    RemoteQueue.Listing listing = remote.list();
    List<StoredSnapshot> uploads = new ArrayList<>();
    for (SnapshotId id : listing.uploading()) {
      remote.upload(id).ifPresent(uploads::add);
    }
    uploads.sort(StoredAddress.OLDEST_FIRST);
    return address.equals("latest")
        ? latest(name, listing.complete(), uploads)
        : addressed(name, listing.complete(), uploads, address);
  }

  private Optional<StoredSnapshot> latest(
      QueueName name, List<StoredSnapshot> complete, List<StoredSnapshot> uploads)
      throws IOException {
    StoredSnapshot newest = complete.isEmpty() ? null : complete.getLast();
    boolean wanted = newest != null && !isHere(name, newest.id());
    for (StoredSnapshot upload : uploads.reversed()) {
      boolean newer = newest == null || upload.element().time().isAfter(newest.element().time());
      if (!isHere(name, upload.id()) && (newer || !wanted)) {
        return Optional.of(upload);
      }
    }
    return newest != null && wanted ? Optional.of(newest) : Optional.empty();
  }

  private static Optional<StoredSnapshot> addressed(
      QueueName name, List<StoredSnapshot> complete, List<StoredSnapshot> uploads, String address)
      throws IOException {
    List<StoredSnapshot> all = new ArrayList<>(complete);
    all.addAll(uploads);
    all.sort(StoredAddress.OLDEST_FIRST);
    try {
      return Optional.of(StoredAddress.find(name, all, address));
    } catch (RegenException.NotFound e) {
      return Optional.empty();
    }
  }

  private boolean isHere(QueueName name, SnapshotId id) throws IOException {
    return queues.exists(name) && queues.look(name).element(id).isPresent();
  }
}
