package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts.Opacity;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Puts a layer tree into a root through the root itself, for where the tree cannot become the
 * upper: what it deletes is deleted there, what it holds is put there, each directory and file in
 * the place of what had its name.
 *
 * <p>The tree is only read. Done again after it was interrupted, it ends the same. The root is
 * hostile: each step is one name in an open directory, and no symbolic link is followed.
 */
public final class Fill {
  private static final int DEPTH_MAX = 2_000;
  private static final byte[] NO_PATH = {};

  private final Transfer transfer;
  private final Deadline deadline;

  private Fill(Transfer transfer, Deadline deadline) {
    this.transfer = transfer;
    this.deadline = deadline;
  }

  /**
   * Puts {@code tree} into {@code root}; forces nothing.
   *
   * @param mayLink whether the root may have the tree's own files; nobody may need the tree once
   *     something runs in the root
   * @return whether bytes had to be copied
   * @throws LinkedTree.TooLong when {@code limit} is over; a part is done then
   */
  public static boolean apply(Path tree, Path root, boolean mayLink, Duration limit)
      throws IOException {
    Deadline deadline = new Deadline(tree, limit);
    try (Fd from = Fd.directory(tree);
        Fd to = Fd.directory(root)) {
      Transfer transfer = new Transfer(to, mayLink, deadline);
      new Fill(transfer, deadline).walk(from, to, NO_PATH, 0);
      return transfer.copied();
    }
  }

  private void walk(Fd from, Fd to, byte[] path, int depth) throws IOException {
    if (depth > DEPTH_MAX) {
      throw new IOException("directories lie deeper in each other than " + DEPTH_MAX);
    }
    boolean mayHoldXattrForm = Whiteouts.opacity(from) == Opacity.HOLDS_XATTR_WHITEOUTS;
    for (Fd.Name entry : from.list()) {
      deadline.pass();
      byte[] name = entry.bytes();
      Stat stat = from.statAt(name);
      boolean deletion =
          Whiteouts.isDevice(stat) || (mayHoldXattrForm && Whiteouts.isXattrForm(from, name, stat));
      if (deletion) {
        TreeRemoval.removeAt(to, name);
      } else if (stat.isDirectory()) {
        directory(from, to, name, path, depth);
      } else {
        file(from, to, name, stat, path);
      }
    }
    Attributes.copy(from, to);
  }

  private void file(Fd from, Fd to, byte[] name, Stat stat, byte[] path) throws IOException {
    Stat there = to.statIfThere(name);
    if (there != null) {
      if (there.inode() == stat.inode() && there.device() == stat.device()) {
        return;
      }
      TreeRemoval.removeAt(to, name);
    }
    transfer.bring(from, name, stat, to, path);
  }

  private void directory(Fd from, Fd to, byte[] name, byte[] path, int depth) throws IOException {
    try (Fd below = from.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
      Stat there = to.statIfThere(name);
      boolean merges =
          there != null && there.isDirectory() && Whiteouts.opacity(below) != Opacity.OPAQUE;
      if (!merges) {
        TreeRemoval.removeAt(to, name);
        to.mkdirAt(name, 0700);
      }
      try (Fd made = to.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        walk(below, made, Transfer.below(path, name), depth + 1);
      }
    }
  }
}
