package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * A second tree over the same files: directories made anew, everything else a hard link.
 *
 * <p>It freezes names and metadata of directories at once, and the files' content for as long as
 * nobody writes into them; so nothing may run on the original until whoever reads the copy is done.
 * Costs a few system calls an entry, never bytes. The links change each file's ctime.
 */
public final class LinkedTree {
  private static final int COPY_BUFFER_BYTES = 128 * 1024;

  private final long deadlineNanos;
  private int sinceLook;

  private LinkedTree(Duration limit) {
    this.deadlineNanos = System.nanoTime() + limit.toNanos();
  }

  /** The time given was not enough; the copy is incomplete. */
  public static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(Path from) {
      super("linking the files of " + from + " takes longer than it may; it goes on afterwards");
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
    LinkedTree linking = new LinkedTree(limit);
    try (Fd source = Fd.directory(from);
        Fd above = Fd.directory(parent)) {
      above.mkdirAt(name, 0700);
      try (Fd copy = above.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        linking.linkBelow(source, copy, from);
      }
    }
  }

  private void linkBelow(Fd source, Fd copy, Path root) throws IOException {
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
          linkBelow(below, belowCopy, root);
        }
      } else {
        link(source, name, copy);
      }
    }
    EmptyTwin.copyAttributes(source, copy);
  }

  static void link(Fd source, byte[] name, Fd copy) throws IOException {
    try {
      copy.linkAt(source, name, name);
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.EMLINK)) {
        throw e;
      }
      copyFile(source, name, copy);
    }
  }

  /** For a file that has as many links as the file system allows. */
  private static void copyFile(Fd source, byte[] name, Fd copy) throws IOException {
    Stat stat = source.statAt(name);
    if (!stat.isRegular()) {
      throw new IOException("a " + stat.type() + " node has too many links to be linked once more");
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(COPY_BUFFER_BYTES);
    try (Fd in = source.openAt(name, Fd.RDONLY, 0);
        Fd out = copy.openAt(name, Fd.WRONLY | Fd.CREAT | Fd.EXCL, 0600)) {
      while (in.read(buffer) > 0) {
        out.write(buffer.flip());
        buffer.clear();
      }
    }
    copy.chownAt(name, stat.uid(), stat.gid());
    for (byte[] attribute : source.xattrNamesAt(name)) {
      byte[] value = source.xattrAt(name, attribute);
      if (value != null) {
        copy.setXattrAt(name, attribute, value);
      }
    }
    copy.chmodAt(name, stat.permissions());
    copy.touchAt(name, stat.mtime());
  }
}
