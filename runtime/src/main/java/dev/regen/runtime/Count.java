package dev.regen.runtime;

/** Numbers of things, in words. */
public final class Count {
  private Count() {}

  /** {@code 1 chunk}, {@code 2 chunks}; {@code 1 entry}, {@code 2 entries}. */
  public static String of(long number, String thing) {
    return number + " " + (number == 1 ? thing : plural(thing));
  }

  private static String plural(String thing) {
    return thing.endsWith("y") ? thing.substring(0, thing.length() - 1) + "ies" : thing + "s";
  }
}
