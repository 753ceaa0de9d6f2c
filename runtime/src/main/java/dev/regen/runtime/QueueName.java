package dev.regen.runtime;

import java.util.regex.Pattern;

/**
 * The name of a queue: the label {@code regen.queue}, or the container's name.
 *
 * @param value 1 to 128 of letters, digits, {@code _ . -}, the first a letter or digit, as Docker
 *     has it for the names of containers; so it is a safe name for a file too
 */
public record QueueName(String value) implements Comparable<QueueName> {
  public static final int MAX_CHARACTERS = 128;
  private static final Pattern FORM = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");

  public QueueName {
    if (!isValid(value)) {
      throw new IllegalArgumentException(
          "'"
              + printable(value)
              + "' is no name for a queue: letters, digits, '_', '.', '-', at most 128, the first a"
              + " letter or digit");
    }
  }

  public static boolean isValid(String value) {
    return FORM.matcher(value).matches();
  }

  @Override
  public int compareTo(QueueName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }

  private static String printable(String value) {
    String shown = value.length() > MAX_CHARACTERS ? value.substring(0, MAX_CHARACTERS) : value;
    return shown.replaceAll("\\p{Cntrl}", "?");
  }
}
