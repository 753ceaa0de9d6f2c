package dev.regen.runtime.oci;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Mount points that the runtime makes in a container's upper, because the image has none: empty
 * files and directories that are no work of the user.
 */
final class Placeholders {
  private static final int O_PATH_DIRECTORY = Fd.PATH | Fd.DIRECTORY;

  private Placeholders() {}

  /**
   * The mount points of {@code bundle} that are not there yet, and the directories missing on the
   * way to them; those of the run before that are still there come along. What is mounted below
   * another mount has its mount point there, and none in the upper.
   */
  static List<String> find(Bundle bundle, List<String> before) throws IOException {
    Set<String> found = new LinkedHashSet<>();
    try (Fd root = Fd.directory(bundle.root())) {
      List<String> mounted = new ArrayList<>();
      for (Bundle.Mounted mount : bundle.mounts()) {
        String path = "/" + relative(mount.destination());
        if (mounted.stream().noneMatch(above -> path.startsWith(above + "/"))) {
          addMissing(root, path, found);
        }
        mounted.add(path);
      }
      for (String path : before) {
        if (isThere(root, path)) {
          found.add(path);
        }
      }
    }
    return new ArrayList<>(found);
  }

  /**
   * Removes through the mounted root an empty file or directory where one of the other kind is to
   * be mounted; the runtime would fail on it.
   */
  static void removeOfWrongType(Bundle bundle) throws IOException {
    try (Fd root = Fd.directory(bundle.root())) {
      for (Bundle.Mounted mount : bundle.mounts()) {
        if (mount.source() != null) {
          removeUnless(root, relative(mount.destination()), mount.isDirectory());
        }
      }
    }
  }

  /**
   * Removes from a layer tree the placeholders that are still empty, the deepest first.
   *
   * @param lowers the layers below: what they have in such a place was deleted before the mount
   *     point was made there, and stays deleted
   */
  static void remove(Path tree, List<String> placeholders, List<Path> lowers) throws IOException {
    List<String> deepestFirst = new ArrayList<>(placeholders);
    deepestFirst.sort((a, b) -> Integer.compare(b.length(), a.length()));
    try (Fd root = Fd.directory(tree)) {
      for (String path : deepestFirst) {
        if (removeIfEmpty(root, relative(path)) && isBelow(lowers, path)) {
          whiteOut(root, relative(path));
        }
      }
    }
  }

  /**
   * Whether leaving out those that are empty does the same as {@link #remove}: none holds another,
   * and none hides anything.
   */
  static boolean areLeftOut(List<String> placeholders, List<Path> lowers) throws IOException {
    for (String path : placeholders) {
      if (placeholders.stream().anyMatch(other -> other.startsWith(path + "/"))
          || isBelow(lowers, path)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isBelow(List<Path> lowers, String path) throws IOException {
    for (Path lower : lowers) {
      try (Fd root = Fd.directory(lower)) {
        if (isThere(root, path)) {
          return true;
        }
      } catch (ErrnoException e) {
        if (!e.is(ErrnoException.ENOENT)) {
          throw e;
        }
      }
    }
    return false;
  }

  private static void whiteOut(Fd root, String path) throws IOException {
    try (Fd parent = parentOf(root, path)) {
      byte[] name = Fd.bytes(path.substring(path.lastIndexOf('/') + 1));
      parent.mknodAt(name, Stat.CHARACTER_DEVICE, 0);
    }
  }

  private static void addMissing(Fd root, String destination, Set<String> found)
      throws IOException {
    String path = relative(destination);
    StringBuilder way = new StringBuilder();
    for (String part : path.split("/", -1)) {
      way.append(way.isEmpty() ? "" : "/").append(part);
      if (!way.isEmpty() && !isThere(root, way.toString())) {
        found.add("/" + way);
      }
    }
  }

  /** Also true where a symbolic link or a file is on the way: then it is no placeholder of ours. */
  private static boolean isThere(Fd root, String path) throws IOException {
    try (Fd there = root.openBeneath(Fd.bytes(relative(path)), Fd.PATH | Fd.NOFOLLOW, 0)) {
      return there.number() >= 0;
    } catch (ErrnoException e) {
      return !e.is(ErrnoException.ENOENT);
    }
  }

  private static void removeUnless(Fd root, String path, boolean directory) throws IOException {
    Stat stat = statOf(root, path);
    if (stat == null || stat.isDirectory() == directory) {
      return;
    }
    removeIfEmpty(root, path);
  }

  /** Whether it was there, empty, and is gone. */
  private static boolean removeIfEmpty(Fd root, String path) throws IOException {
    Stat stat = statOf(root, path);
    if (stat == null) {
      return false;
    }
    byte[] name = Fd.bytes(path.substring(path.lastIndexOf('/') + 1));
    try (Fd parent = parentOf(root, path)) {
      if (stat.isDirectory()) {
        parent.rmdirAt(name);
        return true;
      }
      if (stat.isRegular() && stat.size() == 0) {
        parent.unlinkAt(name);
        return true;
      }
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.ENOTEMPTY) && !e.is(ErrnoException.ENOENT)) {
        throw e;
      }
    }
    return false;
  }

  private static @Nullable Stat statOf(Fd root, String path) throws IOException {
    try (Fd parent = parentOf(root, path)) {
      return parent.statIfThere(Fd.bytes(path.substring(path.lastIndexOf('/') + 1)));
    } catch (ErrnoException e) {
      return null;
    }
  }

  private static Fd parentOf(Fd root, String path) throws IOException {
    int slash = path.lastIndexOf('/');
    String parent = slash < 0 ? "." : path.substring(0, slash);
    return root.openBeneath(Fd.bytes(parent), O_PATH_DIRECTORY, 0);
  }

  private static String relative(String path) {
    String relative = path;
    while (relative.startsWith("/")) {
      relative = relative.substring(1);
    }
    return relative.isEmpty() ? "." : relative;
  }
}
