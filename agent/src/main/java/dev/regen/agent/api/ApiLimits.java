package dev.regen.agent.api;

import java.time.Duration;

/**
 * What those who ask may take of a server.
 *
 * @param connections at once
 * @param requestsPerSecond of one principal in the long run, and four times as many at once; 0 for
 *     any number
 * @param idle for so long nothing may come or go on a connection
 * @param followers how many may follow changes at once, at least 1
 * @param alive how often somebody who follows changes hears that this end still lives
 * @param stuck so long somebody who follows changes may take nothing of what is sent
 */
public record ApiLimits(
    int connections,
    int requestsPerSecond,
    Duration idle,
    Duration body,
    int followers,
    Duration alive,
    Duration stuck) {
  /** What a principal may ask a second, unless a configuration says otherwise. */
  public static final int REQUESTS_PER_SECOND = 50;

  /**
   * Of the Unix socket, whose users may do everything anyway: an import may come from a pipe in
   * which nothing moves for long.
   */
  public static final ApiLimits LOCAL =
      new ApiLimits(
          512,
          0,
          Duration.ofMinutes(30),
          Duration.ofSeconds(30),
          128,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30));

  /** Of a port that others reach. */
  public static final ApiLimits REMOTE =
      new ApiLimits(
          512,
          REQUESTS_PER_SECOND,
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          128,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30));

  public ApiLimits {
    if (connections < 1 || followers < 1 || requestsPerSecond < 0) {
      throw new IllegalArgumentException("somebody may connect, and ask");
    }
  }

  /** The same with another rate; 0 for any. */
  public ApiLimits withRequestsPerSecond(int other) {
    return new ApiLimits(connections, other, idle, body, followers, alive, stuck);
  }
}
