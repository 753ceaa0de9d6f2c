package dev.regen.snapshot;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A layer archive, when it was taken, why, and what it belongs on.
 *
 * @param time the end of the run, to the millisecond
 * @param container the container it was taken from
 * @param imageId the base image
 * @param imageName what the user called the image
 * @param notHeld what of the container it does not hold, in words
 * @param spec the container's configuration as its engine had it
 * @param key what its chunks and details are encrypted under, null if they are not. Details are
 *     {@code spec}, {@code notHeld} and what the archive says was left out
 * @param locked why the details could not be opened and are empty here, null if they are all there
 */
public record Snapshot(
    SnapshotId id,
    QueueName queue,
    Instant time,
    End end,
    String container,
    String imageId,
    String imageName,
    Archive archive,
    List<String> notHeld,
    JsonObject spec,
    @Nullable KeyId key,
    @Nullable String locked) {
  public Snapshot {
    notHeld = List.copyOf(notHeld);
    if (locked != null && key == null) {
      throw new IllegalArgumentException("locked without a key");
    }
  }

  /** One that is not encrypted. */
  public Snapshot(
      SnapshotId id,
      QueueName queue,
      Instant time,
      End end,
      String container,
      String imageId,
      String imageName,
      Archive archive,
      List<String> notHeld,
      JsonObject spec) {
    this(id, queue, time, end, container, imageId, imageName, archive, notHeld, spec, null, null);
  }

  /** The same snapshot, of chunks that are stored otherwise. */
  public Snapshot with(Archive other, @Nullable KeyId otherKey) {
    return new Snapshot(
        id, queue, time, end, container, imageId, imageName, other, notHeld, spec, otherKey,
        locked);
  }

  /**
   * This snapshot, if its details are all there.
   *
   * @throws RegenException.Refused if its key is not to be had; names it and what to do
   */
  public Snapshot unlocked() throws RegenException.Refused {
    if (locked != null) {
      throw new RegenException.Refused("snapshot " + id.shortened() + " is locked: " + locked);
    }
    return this;
  }

  /** How messages name it. */
  public String words() {
    return "snapshot " + id.shortened() + " of " + time;
  }
}
