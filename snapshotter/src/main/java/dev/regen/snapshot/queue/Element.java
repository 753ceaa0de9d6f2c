package dev.regen.snapshot.queue;

import dev.regen.snapshot.End;
import dev.regen.snapshot.SnapshotId;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * One place of a queue.
 *
 * @param id the snapshot
 * @param since the end of the first run that left this state, to the millisecond
 * @param time the end of the last run that left it: runs that change nothing move it, and {@code
 *     since} stays, so that a time in between finds this state
 * @param end why that run ended
 * @param pinned never pushed out, and not counted towards the queue's length
 */
public record Element(SnapshotId id, Instant since, Instant time, End end, boolean pinned) {
  public Element {
    since = since.truncatedTo(ChronoUnit.MILLIS);
    time = time.truncatedTo(ChronoUnit.MILLIS);
  }

  /** A state that one run left. */
  public Element(SnapshotId id, Instant time, End end, boolean pinned) {
    this(id, time, time, end, pinned);
  }

  /** An element that is not pinned. */
  public Element(SnapshotId id, Instant time, End end) {
    this(id, time, end, false);
  }

  Element at(Instant newTime) {
    return new Element(id, since, newTime, end, pinned);
  }

  Element with(End newEnd) {
    return new Element(id, since, time, newEnd, pinned);
  }

  Element pinned(boolean nowPinned) {
    return new Element(id, since, time, end, nowPinned);
  }
}
