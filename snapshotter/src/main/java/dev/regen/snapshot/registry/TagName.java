package dev.regen.snapshot.registry;

import java.util.Comparator;
import java.util.regex.Pattern;

/**
 * What a person calls a manifest.
 *
 * <p>Source: OCI distribution-spec v1.1, "Pulling manifests"; the order: "Listing Tags".
 */
public record TagName(String value) implements Comparable<TagName> {
  static final String FORM = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";
  private static final Pattern PATTERN = Pattern.compile(FORM);
  private static final Comparator<String> ORDER =
      String.CASE_INSENSITIVE_ORDER.thenComparing(Comparator.naturalOrder());

  public TagName {
    if (!isValid(value)) {
      throw new IllegalArgumentException(
          "a tag is 1 to 128 letters, digits and '._-', the first no '.' or '-'");
    }
  }

  public static boolean isValid(String text) {
    return PATTERN.matcher(text).matches();
  }

  /** Whether a tag comes behind this text, which need not be a tag. */
  public static boolean isBehind(TagName tag, String text) {
    return ORDER.compare(tag.value, text) > 0;
  }

  @Override
  public int compareTo(TagName other) {
    return ORDER.compare(value, other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
