package dev.regen.runtime.oci;

import java.util.Map;

/** Signals as engines write them: a number, or a name with or without {@code SIG}. */
final class SignalNames {
  private static final Map<String, Integer> NUMBERS =
      Map.ofEntries(
          Map.entry("HUP", 1),
          Map.entry("INT", 2),
          Map.entry("QUIT", 3),
          Map.entry("ABRT", 6),
          Map.entry("KILL", 9),
          Map.entry("USR1", 10),
          Map.entry("USR2", 12),
          Map.entry("TERM", 15),
          Map.entry("PWR", 30));

  private SignalNames() {}

  /** The signal's number, 0 for one that is not known here. */
  static int number(String text) {
    if (text.matches("[0-9]{1,3}")) {
      return Integer.parseInt(text);
    }
    String name = text.startsWith("SIG") ? text.substring(3) : text;
    return NUMBERS.getOrDefault(name, 0);
  }
}
