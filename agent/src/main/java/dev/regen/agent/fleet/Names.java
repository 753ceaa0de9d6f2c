package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What names may be, and other small things that all of the fleet's resources need. */
final class Names {
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9.-]{0,62}");
  private static final int TEXT_MAX = 2_000;

  private Names() {}

  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  /** A node's or token's name. */
  static String name(String text) throws ProblemException {
    if (!isName(text)) {
      throw bad(
          "a name has small letters, digits, '.' and '-', 63 at most, and begins with none of the last two");
    }
    return text;
  }

  static ProblemException bad(String why) {
    return new ProblemException(Failure.Code.BAD_INPUT, why);
  }

  static ProblemException missing(String what) {
    return new ProblemException(Failure.Code.NOT_FOUND, what);
  }

  static ProblemException refused(String why) {
    return new ProblemException(Failure.Code.REFUSED, why);
  }

  /** A time as JSON has it, null for none. */
  static @Nullable String time(@Nullable Long millis) {
    return millis == null ? null : Instant.ofEpochMilli(millis).toString();
  }

  /** A time that a node says, or another where it says none. */
  static long millis(JsonObject json, String member, long other) {
    try {
      return json.has(member) ? json.instant(member).toEpochMilli() : other;
    } catch (IOException | DateTimeException | ArithmeticException e) {
      return other;
    }
  }

  /** What a node says, no longer than is shown to a person. */
  static @Nullable String words(@Nullable String text) {
    if (text == null) {
      return null;
    }
    String plain = text.replaceAll("\\p{Cntrl}", " ");
    return plain.length() > TEXT_MAX ? plain.substring(0, TEXT_MAX) : plain;
  }
}
