package dev.regen.runtime;

import java.util.regex.Pattern;

/**
 * A container's id as the OCI runtime is given it.
 *
 * @param value 64 hexadecimal digits from Docker and podman; containerd allows names
 */
public record ContainerId(String value) {
  private static final Pattern FORM = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.+-]{0,1023}");
  private static final int SHORT_CHARACTERS = 12;
  private static final int FILE_NAME_MAX = 200;

  public ContainerId {
    if (!FORM.matcher(value).matches() || value.length() > FILE_NAME_MAX) {
      throw new IllegalArgumentException("not a container id: " + value.length() + " characters");
    }
  }

  /** The first twelve characters, as engines print it. */
  public String shortened() {
    return value.length() <= SHORT_CHARACTERS ? value : value.substring(0, SHORT_CHARACTERS);
  }

  @Override
  public String toString() {
    return value;
  }
}
