package dev.regen.agent.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;

/** Times for a person. */
final class Times {
  private static final DateTimeFormatter LOCAL =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX");

  private Times() {}

  /** An RFC 3339 time in the host's zone, or in UTC; unchanged if it is none. */
  static String of(String rfc3339, boolean utc) {
    try {
      ZoneId zone = utc ? ZoneOffset.UTC : ZoneId.systemDefault();
      return LOCAL.format(Instant.parse(rfc3339).atZone(zone));
    } catch (DateTimeParseException e) {
      return rfc3339;
    }
  }
}
