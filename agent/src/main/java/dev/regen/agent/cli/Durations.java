package dev.regen.agent.cli;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;

/** Durations for a person, in at most two units. */
final class Durations {
  private Durations() {}

  /** {@code PT1H3M2S} as {@code 1 h 3 min}; unchanged if it is none. */
  static String of(String iso8601) {
    try {
      return of(Duration.parse(iso8601));
    } catch (DateTimeParseException e) {
      return iso8601;
    }
  }

  private static String of(Duration duration) {
    if (duration.toSeconds() == 0) {
      return duration.toMillis() + " ms";
    }
    if (duration.toMinutes() == 0) {
      return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }
    if (duration.toHours() == 0) {
      return duration.toMinutes() + " min " + duration.toSecondsPart() + " s";
    }
    return duration.toDays() == 0
        ? duration.toHours() + " h " + duration.toMinutesPart() + " min"
        : duration.toDays() + " d " + duration.toHoursPart() + " h";
  }
}
