package dev.regen.snapshot;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.time.Instant;
import java.util.List;

/**
 * A layer archive, when it was taken, why, and what it belongs on.
 *
 * @param time the end of the run, to the millisecond
 * @param container the container it was taken from
 * @param imageId the base image
 * @param imageName what the user called the image
 * @param notHeld what of the container it does not hold, in words
 * @param spec the container's configuration as its engine had it
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
    JsonObject spec) {
  public Snapshot {
    notHeld = List.copyOf(notHeld);
  }

  /** How messages name it. */
  public String words() {
    return "snapshot " + id.shortened() + " of " + time;
  }
}
