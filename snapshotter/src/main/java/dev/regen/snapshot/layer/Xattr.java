package dev.regen.snapshot.layer;

import java.util.Arrays;

/** An extended attribute as it stands in the archive; its arrays are not to be changed. */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Xattr(byte[] name, byte[] value) {
  /** Whether both have the same name and the same value. */
  public boolean isSame(Xattr other) {
    return Arrays.equals(name, other.name) && Arrays.equals(value, other.value);
  }
}
