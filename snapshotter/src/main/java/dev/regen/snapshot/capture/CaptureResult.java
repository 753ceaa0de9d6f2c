package dev.regen.snapshot.capture;

import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import java.time.Instant;
import java.util.List;

/** What became of a frozen layer; in each case its tree is needed no more. */
public sealed interface CaptureResult {
  /**
   * It is the queue's new tail.
   *
   * @param evicted the snapshots that left the queue for it, oldest first
   */
  record Stored(Snapshot snapshot, List<SnapshotId> evicted) implements CaptureResult {
    public Stored {
      evicted = List.copyOf(evicted);
    }
  }

  /** It is the same as the tail, on the same image; only the tail's time and end have changed. */
  record Unchanged(SnapshotId tail, Instant time) implements CaptureResult {}

  /** It was captured by an earlier call, and its snapshot has left the queue since. */
  record Superseded(SnapshotId snapshot) implements CaptureResult {}
}
