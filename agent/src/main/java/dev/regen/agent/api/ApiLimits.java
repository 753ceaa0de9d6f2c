package dev.regen.agent.api;

import java.time.Duration;

/**
 * What those who ask may take of a server.
 *
 * @param connections at once
 * @param idle for so long nothing may come or go on a connection
 * @param body so long the JSON of a request may take to come
 * @param followers how many may follow changes at once
 * @param alive how often somebody who follows changes hears that this end still lives
 * @param stuck so long somebody who follows changes may take nothing of what is sent
 */
public record ApiLimits(
    int connections, Duration idle, Duration body, int followers, Duration alive, Duration stuck) {
  /** Of the Unix socket: an import may come from a pipe in which nothing moves for long. */
  public static final ApiLimits LOCAL =
      new ApiLimits(
          512,
          Duration.ofMinutes(30),
          Duration.ofSeconds(30),
          128,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30));

  /** Of a port that others reach. */
  public static final ApiLimits REMOTE =
      new ApiLimits(
          512,
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          128,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30));

  public ApiLimits {
    if (connections < 1 || followers < 1) {
      throw new IllegalArgumentException("somebody may connect");
    }
  }
}
