package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * A second tree over the same files: directories made anew, everything else a hard link.
 *
 * <p>It freezes names and metadata of directories at once, and the files' content for as long as
 * nobody writes into them; so nothing may run on the original until whoever reads the copy is done.
 * Costs a few system calls an entry; bytes only where the copy is in another mount or project,
 * whose files cannot be links. The links change each file's ctime.
 */
public final class LinkedTree {
  private static final byte[] TOP = {};
  private static final Duration UNHURRIED = Duration.ofHours(1);

  private final Transfer copying;
  private final long deadlineNanos;
  private int sinceLook;

  private LinkedTree(Duration limit, Transfer copying) {
    this.copying = copying;
    this.deadlineNanos = System.nanoTime() + limit.toNanos();
  }

  /** The time given was not enough; the copy is incomplete. */
  public static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(Path from) {
      super(
          "setting aside the files of "
              + from
              + " takes longer than it may; it goes on afterwards");
    }
  }

  /**
   * Links the tree {@code from} to {@code to}, which must not exist; forces nothing.
   *
   * @throws TooLong when {@code limit} is over; {@code to} then holds a part
   */
  public static void make(Path from, Path to, Duration limit) throws IOException {
    Path parent = Objects.requireNonNull(to.getParent(), "copy without parent");
    byte[] name = Fd.bytes(to.getFileName());
    try (Fd source = Fd.directory(from);
        Fd above = Fd.directory(parent)) {
      above.mkdirAt(name, 0700);
      try (Fd copy = above.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        Transfer copying = new Transfer(copy, false, new Deadline(from, limit));
        LinkedTree linking = new LinkedTree(limit, copying);
        linking.linkBelow(source, copy, TOP, from);
      }
    }
  }

  private void linkBelow(Fd source, Fd copy, byte[] path, Path root) throws IOException {
    for (Fd.Name entry : source.list()) {
      if (++sinceLook % 256 == 0 && System.nanoTime() > deadlineNanos) {
        throw new TooLong(root);
      }
      byte[] name = entry.bytes();
      int type = entry.type() != 0 ? entry.type() : source.statAt(name).type();
      if (type == Stat.DIRECTORY) {
        copy.mkdirAt(name, 0700);
        try (Fd below = source.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0);
            Fd belowCopy = copy.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
          linkBelow(below, belowCopy, Transfer.below(path, name), root);
        }
      } else if (!linked(source, name, copy)) {
        copying.bring(source, name, source.statAt(name), copy, path);
      }
    }
    EmptyTwin.copyAttributes(source, copy);
  }

  /** Links one file; copies it where it has as many links as it may, or cannot be linked here. */
  static void link(Fd source, byte[] name, Fd copy) throws IOException {
    if (!linked(source, name, copy)) {
      Deadline none = new Deadline(Path.of("."), UNHURRIED);
      new Transfer(copy, false, none).bring(source, name, source.statAt(name), copy, TOP);
    }
  }

  private static boolean linked(Fd source, byte[] name, Fd copy) throws IOException {
    try {
      copy.linkAt(source, name, name);
      return true;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.EMLINK) || e.is(ErrnoException.EXDEV)) {
        return false;
      }
      throw e;
    }
  }
}
