package dev.regen.agent.api;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How often each of many may do a thing: {@code burst} times at once, and {@code perSecond} times a
 * second in the long run. Those heard of longest ago are forgotten, and begin anew.
 */
public final class RateLimit {
  private static final int KNOWN_MAX = 10_000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final double perSecond;
  private final int burst;
  private final LongSupplier nanoTime;
  private final Map<String, Left> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<String, Left> eldest) {
          return size() > KNOWN_MAX;
        }
      };

  private record Left(double times, long atNanos) {}

  public RateLimit(double perSecond, int burst) {
    this(perSecond, burst, System::nanoTime);
  }

  RateLimit(double perSecond, int burst, LongSupplier nanoTime) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.nanoTime = nanoTime;
  }

  /** Null if {@code who} may now, and does; else after how long. */
  public synchronized @Nullable Duration take(String who) {
    long now = nanoTime.getAsLong();
    Left before = known.get(who);
    double times =
        before == null
            ? burst
            : Math.min(
                burst, before.times() + (now - before.atNanos()) / NANOS_PER_SECOND * perSecond);
    if (times < 1) {
      known.put(who, new Left(times, now));
      return Duration.ofMillis((long) Math.ceil((1 - times) / perSecond * 1000));
    }
    known.put(who, new Left(times - 1, now));
    return null;
  }
}
