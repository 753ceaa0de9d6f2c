package dev.regen.agent.jobs;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The layers that could not be archived, and when each is tried again: after a pause that grows
 * from a second to a minute. For one thread at a time.
 */
final class Retries {
  private static final Duration FIRST = Duration.ofSeconds(1);
  private static final Duration MAX = Duration.ofMinutes(1);

  private record Failed(int times, String message, long retryAtNanos) {}

  private final Map<String, Failed> failed = new HashMap<>();

  /** Notes a failure of {@code job}; returns whether it is another than the one before. */
  boolean failed(String job, String message) {
    Failed before = failed.get(job);
    int times = before == null ? 1 : before.times() + 1;
    Duration pause = FIRST.multipliedBy(1L << Math.min(times - 1, 6));
    pause = pause.compareTo(MAX) > 0 ? MAX : pause;
    failed.put(job, new Failed(times, message, System.nanoTime() + pause.toNanos()));
    return before == null || !before.message().equals(message);
  }

  /** {@code job} has not failed, or not any more. */
  void remove(String job) {
    failed.remove(job);
  }

  /** Forgets all others. */
  void keepOnly(Set<String> jobs) {
    failed.keySet().retainAll(jobs);
  }

  /** Whether {@code job} has failed, and is left alone for a while. */
  boolean isPause(String job) {
    Failed failure = failed.get(job);
    return failure != null && failure.retryAtNanos() - System.nanoTime() > 0;
  }

  /** Why {@code job} failed, null if it did not. */
  @Nullable String message(String job) {
    Failed failure = failed.get(job);
    return failure == null ? null : failure.message();
  }
}
