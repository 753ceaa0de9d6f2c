package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Whether anything of a tree was changed after a moment, as its times tell. Costs a walk.
 *
 * <p>What changed within the same tick of the kernel's clock, some milliseconds, is not seen; nor
 * is anything if the clock was set back.
 */
public final class ChangedSince {
  private final Function<Stat, Stat.Time> time;
  private final Stat.Time moment;

  private ChangedSince(Function<Stat, Stat.Time> time, Stat.Time moment) {
    this.time = time;
    this.moment = moment;
  }

  /** By the change of inodes: content, attributes, and names that came or went. */
  public static boolean byCtime(Path tree, Stat.Time moment) throws IOException {
    return new ChangedSince(Stat::ctime, moment).isChanged(tree);
  }

  /** By the change of content alone; who writes a file may set that time back. */
  public static boolean byMtime(Path tree, Stat.Time moment) throws IOException {
    // A time that lies after the inode's last change was set by hand and tells of no write.
    Function<Stat, Stat.Time> written =
        stat -> stat.mtime().isAfter(stat.ctime()) ? moment : stat.mtime();
    return new ChangedSince(written, moment).isChanged(tree);
  }

  private boolean isChanged(Path tree) throws IOException {
    try (Fd root = Fd.directory(tree)) {
      return isLater(root.stat()) || isChangedBelow(root);
    }
  }

  private boolean isChangedBelow(Fd directory) throws IOException {
    for (Fd.Name entry : directory.list()) {
      try {
        Stat stat = directory.statAt(entry.bytes());
        if (isLater(stat) || (stat.isDirectory() && isChangedBelow(directory, entry.bytes()))) {
          return true;
        }
      } catch (ErrnoException e) {
        if (e.is(ErrnoException.ENOENT)) {
          return true;
        }
        throw e;
      }
    }
    return false;
  }

  private boolean isChangedBelow(Fd directory, byte[] name) throws IOException {
    try (Fd below = directory.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
      return isChangedBelow(below);
    }
  }

  private boolean isLater(Stat stat) {
    return time.apply(stat).isAfter(moment);
  }
}
