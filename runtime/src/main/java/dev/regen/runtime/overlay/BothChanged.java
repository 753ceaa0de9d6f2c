package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which paths a layer tree holds that a new image also has otherwise than the old one had: what a
 * rebase decides in the tree's favour without asking.
 *
 * <p>Only names and attributes are read: two files of images are the same if they are one inode, or
 * of the same type, mode, owner, size and time. So an image built anew from the same sources counts
 * as changed where its times are. A directory counts only as what stands in place of something
 * else, or where it is deleted as a whole.
 */
public final class BothChanged {
  private static final int DEPTH_MAX = 200;

  private final List<Fd> before;
  private final List<Fd> after;
  private final int limit;
  private final long deadlineNanos;
  private final List<String> paths = new ArrayList<>();
  private boolean cut;

  private BothChanged(List<Fd> before, List<Fd> after, int limit, Duration time) {
    this.before = before;
    this.after = after;
    this.limit = limit;
    this.deadlineNanos = System.nanoTime() + time.toNanos();
  }

  /**
   * What was found.
   *
   * @param paths from the container's root, in no order; bytes that are not UTF-8 are replaced
   * @param cut whether there may be more: a limit was reached
   */
  public record Found(List<String> paths, boolean cut) {
    public Found {
      paths = List.copyOf(paths);
    }
  }

  /**
   * Looks through {@code tree}.
   *
   * @param before the old image's layers, the topmost first
   * @param after the new image's
   * @param limit the most paths to name
   * @param time the most it may take; what was found until then is the answer
   */
  public static Found find(Path tree, List<Path> before, List<Path> after, int limit, Duration time)
      throws IOException {
    List<Fd> open = new ArrayList<>();
    try (Fd root = Fd.directory(tree)) {
      for (List<Path> layers : List.of(before, after)) {
        for (Path layer : layers) {
          open.add(Fd.directory(layer));
        }
      }
      BothChanged search =
          new BothChanged(
              open.subList(0, before.size()),
              open.subList(before.size(), open.size()),
              limit,
              time);
      search.below(root, new byte[0], search.before, search.after, 0);
      return new Found(search.paths, search.cut);
    } finally {
      open.forEach(Fd::close);
    }
  }

  /**
   * One directory of the tree.
   *
   * @param old the layers of the old image that show through at it, the topmost first
   */
  private void below(Fd directory, byte[] path, List<Fd> old, List<Fd> now, int depth)
      throws IOException {
    boolean hides = Whiteouts.opacity(directory) == Whiteouts.Opacity.OPAQUE && depth > 0;
    for (Fd.Name name : directory.list()) {
      cut |= paths.size() >= limit || System.nanoTime() > deadlineNanos || depth > DEPTH_MAX;
      if (cut) {
        return;
      }
      Stat stat = directory.statAt(name.bytes());
      byte[] at = joined(path, name.bytes());
      Shown was = shown(old, at);
      Shown is = shown(now, at);
      if (stat.isDirectory() && (was == null || was.isDirectory()) && isDirectory(is) && !hides) {
        try (Fd next = directory.openAt(name.bytes(), Fd.RDONLY | Fd.DIRECTORY, 0)) {
          below(next, at, layers(was), layers(is), depth + 1);
        }
      } else if (!same(was, is)) {
        paths.add("/" + new String(at, StandardCharsets.UTF_8));
      }
    }
  }

  /** What an image shows at a path; the layers of a directory are those that are merged. */
  private record Shown(Stat stat, List<Fd> layers) {
    boolean isDirectory() {
      return stat.isDirectory();
    }
  }

  private static boolean isDirectory(@Nullable Shown shown) {
    return shown == null || shown.isDirectory();
  }

  private static List<Fd> layers(@Nullable Shown shown) {
    return shown == null ? List.of() : shown.layers();
  }

  /** {@code layers} all have a directory above {@code path}; so no link is followed on the way. */
  private static @Nullable Shown shown(List<Fd> layers, byte[] path) throws IOException {
    Stat top = null;
    List<Fd> merged = new ArrayList<>();
    for (Fd layer : layers) {
      Stat stat = layer.statIfThere(path);
      if (stat == null) {
        continue;
      }
      if (Whiteouts.isDevice(stat) || (top != null && !stat.isDirectory())) {
        break;
      }
      top = top == null ? stat : top;
      if (!stat.isDirectory()) {
        break;
      }
      merged.add(layer);
      try (Fd directory = layer.openBeneath(path, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        if (Whiteouts.opacity(directory) == Whiteouts.Opacity.OPAQUE) {
          break;
        }
      }
    }
    return top == null ? null : new Shown(top, merged);
  }

  private static boolean same(@Nullable Shown was, @Nullable Shown is) {
    if (was == null || is == null) {
      return was == null && is == null;
    }
    Stat a = was.stat();
    Stat b = is.stat();
    boolean one = a.inode() == b.inode() && a.device() == b.device();
    boolean alike =
        a.mode() == b.mode()
            && a.uid() == b.uid()
            && a.gid() == b.gid()
            && a.rdev() == b.rdev()
            && a.mtime().equals(b.mtime())
            && (a.isDirectory() || a.size() == b.size());
    return one || alike;
  }

  private static byte[] joined(byte[] path, byte[] name) {
    if (path.length == 0) {
      return name;
    }
    byte[] both = Arrays.copyOf(path, path.length + 1 + name.length);
    both[path.length] = '/';
    System.arraycopy(name, 0, both, path.length + 1, name.length);
    return both;
  }
}
