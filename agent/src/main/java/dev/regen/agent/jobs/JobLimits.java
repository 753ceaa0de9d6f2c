package dev.regen.agent.jobs;

import java.time.Duration;

/**
 * How many operations are started, and when.
 *
 * @param interval in each, at most {@code batch} are started
 * @param batch the most that one batch holds; fewer for a while after a lack of capacity
 * @param deadline what could not be started so long after it was asked for has failed
 * @param places so many run at once, without those that mostly wait for other hosts
 * @param transferPlaces so many of those run at once
 */
public record JobLimits(
    Duration interval, int batch, Duration deadline, int places, int transferPlaces) {
  public static final JobLimits DEFAULT =
      new JobLimits(Duration.ofSeconds(2), 10, Duration.ofSeconds(60), 4, 4);

  private static final int BATCH_MAX = 1000;
  private static final int PLACES_MAX = 64;

  public JobLimits {
    if (interval.toMillis() < 10 || interval.toMinutes() > 10) {
      throw new IllegalArgumentException("jobIntervalMillis is 10 to 600000");
    }
    if (batch < 1 || batch > BATCH_MAX) {
      throw new IllegalArgumentException("jobBatch is 1 to " + BATCH_MAX);
    }
    if (deadline.toSeconds() < 1 || deadline.toDays() > 1) {
      throw new IllegalArgumentException("jobDeadlineSeconds is 1 to 86400");
    }
    if (places < 1 || places > PLACES_MAX || transferPlaces < 1 || transferPlaces > PLACES_MAX) {
      throw new IllegalArgumentException("jobPlaces and transferPlaces are 1 to " + PLACES_MAX);
    }
  }
}
