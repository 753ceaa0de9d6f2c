package dev.regen.snapshot.queue;

import dev.regen.snapshot.End;
import dev.regen.snapshot.SnapshotId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * One place of a queue.
 *
 * @param id the snapshot
 * @param time the end of the run, to the millisecond; later than that of the element before
 * @param end why that run ended
 * @param pinned never pushed out, and not counted towards the queue's length
 */
public record Element(SnapshotId id, Instant time, End end, boolean pinned) {
  public Element {
    time = time.truncatedTo(ChronoUnit.MILLIS);
  }

  /** An element that is not pinned. */
  public Element(SnapshotId id, Instant time, End end) {
    this(id, time, end, false);
  }

  Element at(Instant newTime) {
    return new Element(id, newTime, end, pinned);
  }

  Element with(End newEnd) {
    return new Element(id, time, newEnd, pinned);
  }

  Element pinned(boolean nowPinned) {
    return new Element(id, time, end, nowPinned);
  }
}
