package dev.regen.snapshot.registry;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock on which hours pass in a second, and that can be put forward. */
final class FastClock implements InstantSource {
  private final Instant begin = Instant.parse("2026-11-23T00:00:00Z");
  private final long beginNanos = System.nanoTime();
  private final long factor;
  private volatile Duration ahead = Duration.ZERO;

  FastClock(long factor) {
    this.factor = factor;
  }

  void forward(Duration by) {
    ahead = ahead.plus(by);
  }

  @Override
  public Instant instant() {
    return begin.plusNanos(factor * (System.nanoTime() - beginNanos)).plus(ahead);
  }
}
