package dev.regen.snapshot.queue;

import dev.regen.snapshot.SnapshotId;

/**
 * A capture that the queue has taken in, remembered so that it is not taken in twice.
 *
 * @param job the spool job's name
 * @param id the snapshot it made, or the one whose time it moved
 * @param changed false if it only moved the time of the tail
 */
public record JobDone(String job, SnapshotId id, boolean changed) {
  public static final int JOB_CHARACTERS_MAX = 512;

  public JobDone {
    if (job.isEmpty() || job.length() > JOB_CHARACTERS_MAX) {
      throw new IllegalArgumentException("a job's name of " + job.length() + " characters");
    }
  }
}
