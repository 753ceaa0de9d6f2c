package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Removes a directory tree that a hostile container may have made.
 *
 * <p>Every step is relative to an open directory, so it needs no path longer than one name, follows
 * no symbolic link, and neither depth nor width cost memory: at most {@value #OPEN_MAX} directories
 * are open at once. It does not cross into another mount. Nobody else may change the tree
 * meanwhile.
 */
public final class TreeRemoval {
  private static final int OPEN_MAX = 64;
  private static final int PASSES_MAX = 16;
  private static final byte[] PARENT = Fd.bytes("..");

  /** One directory on the way down; closed while far below it, and opened again from below. */
  private static final class Level {
    private final byte[] name;
    private final long inode;
    private final List<byte[]> directories = new ArrayList<>();
    private @Nullable Fd fd;
    private int passes;

    private Level(byte[] name, Fd fd, Stat stat) {
      this.name = name;
      this.fd = fd;
      this.inode = stat.inode();
    }
  }

  private final Deque<Level> levels = new ArrayDeque<>();
  private final Stat root;

  private TreeRemoval(Stat root) {
    this.root = root;
  }

  /**
   * Removes {@code tree} and everything beneath it; does nothing if nothing has that name. Symbolic
   * links before the last component of {@code tree} are followed.
   *
   * @throws IOException if a mount is in the way or a call fails; part of the tree is then gone
   */
  public static void remove(Path tree) throws IOException {
    Path absolute = tree.toAbsolutePath();
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    if (parent == null || name == null) {
      throw new IOException("the root directory is not removed");
    }
    if (Fd.statIfThere(absolute) == null) {
      return;
    }
    try (Fd directory = Fd.directory(parent)) {
      removeAt(directory, Fd.bytes(name.toString()));
    }
  }

  /** Removes everything beneath a directory, which stays. */
  public static void empty(Path directory) throws IOException {
    try (Fd opened = Fd.directory(directory)) {
      for (Fd.Name name : opened.list()) {
        removeAt(opened, name.bytes());
      }
    }
  }

  /** Like {@link #remove}, for one name of an open directory. */
  public static void removeAt(Fd parent, byte[] name) throws IOException {
    Stat stat = parent.statIfThere(name);
    if (stat == null) {
      return;
    }
    if (!stat.isDirectory()) {
      parent.unlinkAt(name);
      return;
    }
    if (stat.mountId() != parent.stat().mountId()) {
      throw mountInTheWay(name);
    }
    new TreeRemoval(stat).run(parent, name);
    parent.rmdirAt(name);
  }

  private void run(Fd parent, byte[] name) throws IOException {
    try {
      enter(parent, name);
      while (!levels.isEmpty()) {
        step(levels.getLast());
      }
    } finally {
      for (Level level : levels) {
        if (level.fd != null) {
          level.fd.close();
        }
      }
    }
  }

  private void enter(Fd parent, byte[] name) throws IOException {
    Fd fd = parent.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0);
    try {
      Stat stat = fd.stat();
      if (stat.device() != root.device() || stat.mountId() != root.mountId()) {
        throw mountInTheWay(name);
      }
      levels.addLast(new Level(name, fd, stat));
    } catch (IOException e) {
      fd.close();
      throw e;
    }
  }

  private void step(Level level) throws IOException {
    Fd fd = open(level);
    if (!level.directories.isEmpty()) {
      byte[] child = level.directories.removeLast();
      enter(fd, child);
      if (levels.size() > OPEN_MAX) {
        fd.close();
        level.fd = null;
      }
      return;
    }
    List<Fd.Name> names = fd.listSome();
    if (names.isEmpty()) {
      leave(level, fd);
      return;
    }
    for (Fd.Name name : names) {
      if (isDirectory(fd, name)) {
        level.directories.add(name.bytes());
      } else {
        fd.unlinkAt(name.bytes());
      }
    }
  }

  private void leave(Level level, Fd fd) throws IOException {
    levels.removeLast();
    if (levels.isEmpty()) {
      fd.close();
      return;
    }
    Level above = levels.getLast();
    if (above.fd == null) {
      above.fd = parentOf(fd, above.inode);
    }
    fd.close();
    try {
      above.fd.rmdirAt(level.name);
    } catch (ErrnoException e) {
      // A directory read while its names go away may hide some of them: read it again.
      if (!e.is(ErrnoException.ENOTEMPTY) || ++above.passes > PASSES_MAX) {
        throw e;
      }
      above.directories.add(level.name);
    }
  }

  private Fd parentOf(Fd fd, long inode) throws IOException {
    Fd parent = fd.openAt(PARENT, Fd.RDONLY | Fd.DIRECTORY, 0);
    try {
      Stat stat = parent.stat();
      if (stat.inode() != inode || stat.mountId() != root.mountId()) {
        throw new IOException("the tree was moved while it was being removed");
      }
      return parent;
    } catch (IOException e) {
      parent.close();
      throw e;
    }
  }

  private static Fd open(Level level) {
    if (level.fd == null) {
      throw new IllegalStateException("the lowest directory is always open");
    }
    return level.fd;
  }

  private static boolean isDirectory(Fd parent, Fd.Name name) throws IOException {
    if (name.type() != 0) {
      return name.type() == Stat.DIRECTORY;
    }
    return parent.statAt(name.bytes()).isDirectory();
  }

  private static IOException mountInTheWay(byte[] name) {
    return new IOException(
        "not removed: something is mounted on "
            + new String(name, java.nio.charset.StandardCharsets.UTF_8)
            + "; unmount it first");
  }
}
