package dev.regen.snapshot.registry;

import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The last part of a name that is used once: when it was made, in seconds, and chance.
 *
 * @param text sorted as text it is sorted by time, to the second
 */
record Stamp(String text) {
  static final String FORM = "[0-9]{10}-[0-9a-f]{8}";
  private static final int SECONDS_DIGITS = 10;

  static Stamp at(Instant now) {
    long seconds = Math.clamp(now.getEpochSecond(), 0L, 9_999_999_999L);
    return new Stamp(
        String.format("%010d-", seconds)
            + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt()));
  }

  /** The stamp at the end of a record's name. */
  static Stamp of(String record) {
    return new Stamp(record.substring(record.lastIndexOf('/') + 1));
  }

  Instant madeAt() {
    return Instant.ofEpochSecond(Long.parseLong(text.substring(0, SECONDS_DIGITS)));
  }

  /** Negative where the clock was set back meanwhile, or is another's. */
  Duration age(Instant now) {
    return Duration.between(madeAt(), now);
  }
}
