package dev.regen.agent.api;

import java.time.Duration;

/** One request on its way, for the meter: told of once. */
final class Metered {
  private final Meter meter;
  private final Audited request;
  private final long begin = System.nanoTime();
  private boolean told;

  Metered(Meter meter, Audited request) {
    this.meter = meter;
    this.request = request;
  }

  void answered(int status) {
    if (!told) {
      told = true;
      meter.asked(request.operation(), status, Duration.ofNanos(System.nanoTime() - begin));
    }
  }
}
