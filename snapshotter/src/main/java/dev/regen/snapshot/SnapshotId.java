package dev.regen.snapshot;

import java.util.regex.Pattern;

/**
 * Names a snapshot, on every host.
 *
 * @param value 32 lower-case hexadecimal digits, random
 */
public record SnapshotId(String value) {
  private static final Pattern FORM = Pattern.compile("[0-9a-f]{32}");
  private static final int SHORT_CHARACTERS = 12;

  public SnapshotId {
    if (!isValid(value)) {
      throw new IllegalArgumentException("not a snapshot id");
    }
  }

  public static boolean isValid(String text) {
    return FORM.matcher(text).matches();
  }

  public static SnapshotId random() {
    return new SnapshotId(java.util.UUID.randomUUID().toString().replace("-", ""));
  }

  public String shortened() {
    return value.substring(0, SHORT_CHARACTERS);
  }

  @Override
  public String toString() {
    return value;
  }
}
