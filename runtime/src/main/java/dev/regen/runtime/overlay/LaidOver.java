package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Lays one layer tree over another, as when a container's first start finds files that {@code
 * docker cp} put there.
 *
 * <p>What the upper tree holds wins; a directory that both hold is merged and keeps the lower
 * tree's owner, mode and attributes, since engines make working directories with their own. The
 * upper tree is only read: its files are linked.
 */
public final class LaidOver {
  private static final byte[] OPAQUE = Fd.bytes("trusted.overlay.opaque");
  private static final byte[] SELF = {'.'};
  private static final byte[] YES = {'y'};

  private LaidOver() {}

  /** Whether a layer tree holds anything at all. */
  public static boolean isEmpty(Path tree) throws IOException {
    try (Fd directory = Fd.directory(tree)) {
      return directory.list().isEmpty();
    }
  }

  /** Lays {@code over} over {@code tree}; run again after a crash it ends the same. */
  public static void lay(Path over, Path tree) throws IOException {
    try (Fd from = Fd.directory(over);
        Fd to = Fd.directory(tree)) {
      layBelow(from, to);
    }
  }

  private static void layBelow(Fd from, Fd to) throws IOException {
    for (Fd.Name entry : from.list()) {
      byte[] name = entry.bytes();
      Stat ours = from.statAt(name);
      Stat theirs = to.statIfThere(name);
      if (theirs != null && theirs.inode() == ours.inode()) {
        continue;
      }
      if (ours.isDirectory()) {
        layDirectory(from, to, name, theirs);
      } else {
        if (theirs != null) {
          TreeRemoval.removeAt(to, name);
        }
        LinkedTree.link(from, name, to);
      }
    }
  }

  private static void layDirectory(Fd from, Fd to, byte[] name, @Nullable Stat theirs)
      throws IOException {
    try (Fd below = from.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
      boolean opaque = java.util.Arrays.equals(below.xattrAt(SELF, OPAQUE), YES);
      boolean merges = theirs != null && theirs.isDirectory() && !opaque;
      if (theirs != null && !merges) {
        TreeRemoval.removeAt(to, name);
      }
      if (!merges) {
        to.mkdirAt(name, 0700);
      }
      try (Fd belowTo = to.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        if (!merges && theirs != null) {
          // The tree hid what lies below here: a deletion or a file stood in this place.
          belowTo.setXattrAt(SELF, OPAQUE, YES);
        }
        layBelow(below, belowTo);
        if (!merges) {
          EmptyTwin.copyAttributes(below, belowTo);
        }
      }
    }
  }
}
