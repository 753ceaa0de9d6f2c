package dev.regen.agent.registry;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which bytes of a blob a request wants.
 *
 * <p>One that ends before it begins has no byte, and is rejected as the RFC permits: who sends it
 * does not want the whole. Several ranges in one request are answered with the whole, as RFC 9110
 * permits: no client of registries wants them.
 *
 * <p>Source: RFC 9110, sections 14.1.2 and 14.2.
 *
 * @param length at least 1
 */
record ByteRange(long from, long length) {
  private static final Pattern FORM = Pattern.compile("bytes=\\s*([0-9]*)-([0-9]*)\\s*");
  private static final int DIGITS_MAX = 18;

  /** A range that has no byte of the blob. */
  static final class Unsatisfiable extends Exception {
    private static final long serialVersionUID = 1;
  }

  /**
   * Reads a header.
   *
   * @param header null if the request has none
   * @return null if the whole is to be sent: there is no header, or one that means nothing
   */
  static @Nullable ByteRange of(@Nullable String header, long size) throws Unsatisfiable {
    if (header == null) {
      return null;
    }
    Matcher form = FORM.matcher(header);
    if (!form.matches()) {
      return null;
    }
    String first = form.group(1);
    String last = form.group(2);
    if (first.isEmpty() && last.isEmpty()) {
      return null;
    }
    if (first.isEmpty()) {
      long suffix = Math.min(number(last), size);
      if (suffix == 0) {
        throw new Unsatisfiable();
      }
      return new ByteRange(size - suffix, suffix);
    }
    long from = number(first);
    long to = last.isEmpty() ? Long.MAX_VALUE : number(last);
    if (from >= size || to < from) {
      throw new Unsatisfiable();
    }
    return new ByteRange(from, Math.min(to, size - 1) - from + 1);
  }

  private static long number(String digits) {
    return digits.length() > DIGITS_MAX ? Long.MAX_VALUE : Long.parseLong(digits);
  }
}
