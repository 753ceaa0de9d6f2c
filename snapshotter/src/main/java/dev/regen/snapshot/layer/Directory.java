package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A directory of the tree that is being archived. Its descriptor is opened when asked for, and
 * closed when many others were opened since: a tree may be deeper, or a group span more
 * directories, than a process may have open files.
 */
final class Directory {
  /** The descriptors that one walk keeps open. */
  static final class Open implements AutoCloseable {
    private static final int MAX = 128;
    private final Deque<Directory> newestFirst = new ArrayDeque<>();

    private void add(Directory directory) {
      if (newestFirst.size() == MAX) {
        newestFirst.removeLast().close();
      }
      newestFirst.addFirst(directory);
    }

    @Override
    public void close() {
      newestFirst.forEach(Directory::close);
      newestFirst.clear();
    }
  }

  private final Open open;
  private final @Nullable Directory parent;
  private final byte[] name;
  private final byte[] path;
  private final Stat stat;
  private @Nullable Fd fd;

  private Directory(Open open, @Nullable Directory parent, byte[] name, byte[] path, Stat stat) {
    this.open = open;
    this.parent = parent;
    this.name = name;
    this.path = path;
    this.stat = stat;
  }

  /** The tree itself; {@code fd} stays the caller's. */
  static Directory root(Open open, Fd fd) throws ErrnoException {
    Directory root = new Directory(open, null, Fd.bytes("."), Paths.root(), fd.stat());
    root.fd = fd;
    return root;
  }

  /** A directory in this one, not opened yet. */
  Directory child(byte[] childName, byte[] childPath, Stat childStat) {
    return new Directory(open, this, childName, childPath, childStat);
  }

  /** A directory of this tree by its path alone, of which nothing is to be read. */
  Directory unopened(byte[] ofPath) {
    return new Directory(open, null, name, ofPath, stat);
  }

  /** Relative to the tree. */
  byte[] path() {
    return path;
  }

  Stat stat() {
    return stat;
  }

  /** Good until the next call for any directory of this tree; not to be closed. */
  Fd fd() throws IOException {
    Fd opened = fd;
    if (opened == null) {
      opened = reopened();
      fd = opened;
      open.add(this);
    }
    return opened;
  }

  private Fd reopened() throws IOException {
    if (parent == null) {
      throw new IllegalStateException("the root is always open");
    }
    Fd opened = TreeChanged.during(path, () -> parent.fd().openAt(name, FLAGS, 0));
    Stat now = opened.stat();
    if (now.inode() != stat.inode() || now.device() != stat.device()) {
      opened.close();
      throw TreeChanged.at(path, "is another directory now");
    }
    if (now.device() != parent.stat.device()) {
      opened.close();
      throw new RegenException.Refused(
          "another file system is mounted at " + Paths.shown(path) + "; unmount it and try again");
    }
    return opened;
  }

  private static final int FLAGS = Fd.RDONLY | Fd.DIRECTORY | Fd.NOATIME;

  private void close() {
    Fd opened = fd;
    fd = null;
    if (opened != null) {
      opened.close();
    }
  }
}
