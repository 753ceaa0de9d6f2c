package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Stat;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * What can be said of a file without reading it.
 *
 * @param since when the root was made, null if not known
 */
record Untouched(Stat.@Nullable Time since) {
  private static final Comparator<Stat.Time> BY_TIME =
      Comparator.comparingLong(Stat.Time::seconds).thenComparingInt(Stat.Time::nanos);

  /** Whether two files have the same type, mode, owner, device number and time of change. */
  static boolean sameFacts(Stat ours, Stat theirs) {
    return ours.mode() == theirs.mode()
        && ours.uid() == theirs.uid()
        && ours.gid() == theirs.gid()
        && ours.rdev() == theirs.rdev()
        && ours.mtime().equals(theirs.mtime());
  }

  /** Whether two files of the same facts are surely the same, their directory being in place. */
  boolean isSure(boolean inPlace, Stat ours, Stat theirs) {
    boolean copyOfInode = isCopyOfInode(ours, theirs) && ours.ctime().equals(theirs.ctime());
    return copyOfInode || (inPlace && isBefore(ours));
  }

  /**
   * Whether a directory is surely where it was: renaming touches it, and the directory above it.
   */
  boolean inPlace(boolean aboveInPlace, Stat above, Stat ours, Stat theirs) {
    return isCopyOfInode(ours, theirs) || (aboveInPlace && (isBefore(above) || isBefore(ours)));
  }

  /** A snapshot of a subvolume keeps the inodes' numbers. */
  private static boolean isCopyOfInode(Stat ours, Stat theirs) {
    return ours.inode() == theirs.inode() && ours.device() != theirs.device();
  }

  private boolean isBefore(Stat stat) {
    return since != null && BY_TIME.compare(stat.ctime(), since) < 0;
  }
}
