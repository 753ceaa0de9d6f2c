package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Tells which snapshot of a store lies on an image; each one's manifest says which that is. */
public final class SnapshotsOnImage {
  private final RemoteStore store;

  public SnapshotsOnImage(RemoteStore store) {
    this.store = store;
  }

  /** A snapshot, complete or on its way. */
  public record Found(QueueName queue, SnapshotId id, boolean uploading) {
    @Override
    public String toString() {
      return "snapshot "
          + id.shortened()
          + " of queue '"
          + queue
          + "'"
          + (uploading ? ", which is uploading," : "");
    }
  }

  /**
   * Any snapshot that lies on an image.
   *
   * @param image as the engine called it that gave it to the store
   * @throws RegenException.Refused if of a snapshot that is there nobody can say what it lies on
   */
  public Optional<Found> any(Digest image) throws IOException {
    for (QueueName queue : RemoteQueue.all(store)) {
      RemoteQueue remote = new RemoteQueue(store, queue);
      RemoteQueue.Listing listing = remote.list();
      for (StoredSnapshot snapshot : listing.complete()) {
        Found found = new Found(queue, snapshot.id(), false);
        if (liesOn(image, snapshot, found)) {
          return Optional.of(found);
        }
      }
      for (SnapshotId id : listing.uploading()) {
        Optional<StoredSnapshot> upload = remote.upload(id);
        Found found = new Found(queue, id, true);
        if (upload.isEmpty() && remote.list().uploading().contains(id)) {
          throw unknown(found, "what is said of it cannot be read");
        }
        if (upload.isPresent() && liesOn(image, upload.get(), found)) {
          return Optional.of(found);
        }
      }
    }
    return Optional.empty();
  }

  private boolean liesOn(Digest image, StoredSnapshot snapshot, Found found) throws IOException {
    try {
      byte[] manifest = snapshot.manifest().fetch(store);
      String id = SnapshotStore.parse(snapshot.id(), manifest).imageId();
      return id.equals(image.toString()) || id.equals(image.hex());
    } catch (RegenException.NotFound | RegenException.Damaged e) {
      throw unknown(found, e.getMessage());
    }
  }

  private static RegenException unknown(Found found, @Nullable String why) {
    return new RegenException.Refused(
        "nobody can say on which image "
            + found
            + " lies: "
            + why
            + ". Push it again, or remove it with 'regen rm --store'; until then no image is"
            + " removed");
  }
}
