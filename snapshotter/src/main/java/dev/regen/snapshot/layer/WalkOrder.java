package dev.regen.snapshot.layer;

import java.util.Arrays;

/**
 * The order of a walk: a directory before what is in it, and that before its next sibling; names of
 * one directory by their bytes. It is the order of the paths' bytes if a slash were the least of
 * them.
 */
public final class WalkOrder {
  private WalkOrder() {}

  /** Below 0 if {@code a} comes before {@code b}, 0 if they are the same path. */
  public static int compare(byte[] a, byte[] b) {
    int at = Arrays.mismatch(a, b);
    if (at < 0) {
      return 0;
    }
    if (at == a.length || at == b.length) {
      return a.length - b.length;
    }
    return rank(a[at]) - rank(b[at]);
  }

  /** Whether {@code path} is in the directory {@code above}, or deeper; the root holds all. */
  public static boolean isBelow(byte[] path, byte[] above) {
    if (above.length == 0) {
      return path.length > 0;
    }
    return path.length > above.length
        && path[above.length] == '/'
        && Arrays.equals(path, 0, above.length, above, 0, above.length);
  }

  private static int rank(byte b) {
    return b == '/' ? 0 : b & 0xFF;
  }
}
