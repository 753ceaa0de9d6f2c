package dev.regen.agent.registry;

import java.util.regex.Pattern;

/** A pattern: {@code *} stands for any characters but {@code /}, {@code **} for any. */
record Glob(String text, Pattern pattern) {
  private static final int CHARACTERS_MAX = 300;

  Glob(String text) {
    this(text, compiled(text));
  }

  boolean fits(String name) {
    return pattern.matcher(name).matches();
  }

  private static Pattern compiled(String text) {
    if (text.isEmpty() || text.length() > CHARACTERS_MAX) {
      throw new IllegalArgumentException("a pattern has 1 to " + CHARACTERS_MAX + " characters");
    }
    StringBuilder regex = new StringBuilder();
    for (String literal : text.split("(?<=\\*)(?!\\*)|(?<!\\*)(?=\\*)", -1)) {
      switch (literal) {
        case "*" -> regex.append("[^/]*");
        case "**" -> regex.append(".*");
        default -> regex.append(Pattern.quote(literal));
      }
    }
    return Pattern.compile(regex.toString());
  }
}
