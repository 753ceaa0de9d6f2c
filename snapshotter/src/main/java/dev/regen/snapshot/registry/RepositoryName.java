package dev.regen.snapshot.registry;

import java.util.regex.Pattern;

/**
 * The name of a repository.
 *
 * <p>Source: OCI distribution-spec v1.1, "Pulling manifests".
 *
 * @param value up to 255 characters
 */
public record RepositoryName(String value) {
  public static final int CHARACTERS_MAX = 255;
  private static final String PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  private static final Pattern FORM = Pattern.compile(PART + "(?:/" + PART + ")*");

  public RepositoryName {
    if (!isValid(value)) {
      throw new IllegalArgumentException(
          "a repository's name is up to "
              + CHARACTERS_MAX
              + " lower-case letters, digits and separators '.', '_', '-', in parts with '/' between");
    }
  }

  public static boolean isValid(String text) {
    return text.length() <= CHARACTERS_MAX && FORM.matcher(text).matches();
  }

  /** As a part of a record's name. */
  String key() {
    return ContentDigest.shortened(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
