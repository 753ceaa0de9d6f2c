package dev.regen.agent.api;

import java.time.Duration;

/**
 * What those who ask may take of a server.
 *
 * @param idle for so long nothing may come or go on a connection
 * @param followers how many may follow changes at once, at least 1
 * @param alive how often somebody who follows changes hears that this end still lives
 * @param stuck so long somebody who follows changes may take nothing of what is sent
 */
public record ApiLimits(Duration idle, int followers, Duration alive, Duration stuck) {
  /** Of the Unix socket: an import may come from a pipe in which nothing moves for long. */
  static final ApiLimits LOCAL =
      new ApiLimits(Duration.ofMinutes(30), 128, Duration.ofSeconds(10), Duration.ofSeconds(30));

  /** Of a port that others reach. */
  public static final ApiLimits REMOTE =
      new ApiLimits(Duration.ofSeconds(60), 128, Duration.ofSeconds(10), Duration.ofSeconds(30));

  public ApiLimits {
    if (followers < 1) {
      throw new IllegalArgumentException("somebody may follow");
    }
  }
}
