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

  /** As the container would name it, for messages. */
  static String shown(byte[] path) {
    return "/" + new String(path, StandardCharsets.UTF_8);
  }

  private static String key(byte[] path) {
    return new String(path, StandardCharsets.ISO_8859_1);
  }
}
