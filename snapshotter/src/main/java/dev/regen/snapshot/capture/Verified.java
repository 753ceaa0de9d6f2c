package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.SnapshotId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a verification found.
 *
 * @param snapshots how many manifests were read
 * @param chunks how many different chunks they name, those that are damaged or missing included
 * @param bytes how long those chunks are together, or should be
 * @param problems what is damaged or missing, at most {@link #PROBLEMS_MAX}; empty if all is well
 * @param unreferencedManifests manifests that no queue names; the next sweep removes them. Zero if
 *     one queue was verified
 * @param unreferencedChunks chunks that no manifest names, those of a capture under way included;
 *     zero if one queue was verified
 */
public record Verified(
    long snapshots,
    long chunks,
    long bytes,
    List<Problem> problems,
    long unreferencedManifests,
    long unreferencedChunks) {
  public static final int PROBLEMS_MAX = 10_000;

  /** What is wrong. */
  public enum Kind {
    QUEUE_DAMAGED,
    MANIFEST_MISSING,
    MANIFEST_DAMAGED,
    CHUNK_DAMAGED,
    /** Nothing is damaged, but its key is not to be had. */
    LOCKED
  }

  /**
   * One thing that is damaged or missing.
   *
   * @param queue which cannot be read, or holds the snapshot
   * @param snapshot which cannot be restored for that; null if it is the queue's file
   * @param chunk which is damaged or missing; null if it is something else
   * @param message what it is, in words, with the file
   */
  public record Problem(
      Kind kind,
      QueueName queue,
      @Nullable SnapshotId snapshot,
      @Nullable Digest chunk,
      String message) {}

  public Verified {
    problems = List.copyOf(problems);
  }

  public boolean allWell() {
    return problems.isEmpty();
  }
}
