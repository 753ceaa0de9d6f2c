package dev.regen.snapshot.layer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Paths as bytes, relative to the tree; and sets of them. */
final class Paths {
  private static final byte[] ROOT = {};

  private final Set<String> paths = new HashSet<>();

  /** Paths as a user writes them: from the container's root, with or without slashes around. */
  Paths(List<String> written) {
    for (String path : written) {
      byte[] relative = ROOT;
      for (String name : path.split("/", -1)) {
        if (!name.isEmpty() && !name.equals(".")) {
          relative = below(relative, name.getBytes(StandardCharsets.UTF_8));
        }
      }
      if (relative.length > 0) {
        paths.add(key(relative));
      }
    }
  }

  boolean contains(byte[] path) {
    return !paths.isEmpty() && paths.contains(key(path));
  }

  /** In no order. */
  List<byte[]> all() {
    return paths.stream().map(path -> path.getBytes(StandardCharsets.ISO_8859_1)).toList();
  }

  static byte[] root() {
    return ROOT;
  }

  /** {@code directory/name}; the root's path is empty. */
  static byte[] below(byte[] directory, byte[] name) {
    if (directory.length == 0) {
      return name;
    }
    byte[] path = Arrays.copyOf(directory, directory.length + 1 + name.length);
    path[directory.length] = '/';
    System.arraycopy(name, 0, path, directory.length + 1, name.length);
    return path;
  }

  /** The directory of a path that is not the root's. */
  static byte[] parent(byte[] path) {
    for (int i = path.length - 1; i > 0; i--) {
      if (path[i] == '/') {
        return Arrays.copyOf(path, i);
      }
    }
    return ROOT;
  }

  /** The last name of a path that is not the root's. */
  static byte[] name(byte[] path) {
    int directory = parent(path).length;
    return Arrays.copyOfRange(path, directory == 0 ? 0 : directory + 1, path.length);
  }

  /** Whether {@code path} is in {@code directory}, at any depth. */
  static boolean isBelow(byte[] path, byte[] directory) {
    int length = directory.length;
    return length == 0
        ? path.length > 0
        : path.length > length
            && path[length] == '/'
            && Arrays.equals(path, 0, length, directory, 0, length);
  }

  /** The order of a walk: a directory, then what is in it, names by their bytes. */
  static int compare(byte[] a, byte[] b) {
    int at = Arrays.mismatch(a, b);
    if (at < 0) {
      return 0;
    }
    if (at == a.length || at == b.length) {
      return a.length - b.length;
    }
    return Integer.compare(rank(a[at]), rank(b[at]));
  }

  private static int rank(byte b) {
    return b == '/' ? -1 : b & 0xFF;
  }

  /** As the container would name it, for messages. */
  static String shown(byte[] path) {
    return "/" + new String(path, StandardCharsets.UTF_8);
  }

  private static String key(byte[] path) {
    return new String(path, StandardCharsets.ISO_8859_1);
  }
}
