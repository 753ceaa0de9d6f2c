package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The directories from the root of a new tree down to where the next member goes.
 *
 * <p>Each is opened by one name beneath the one above, never through a link or out of the tree, so
 * paths may be of any length; at most {@value #OPEN_MAX} are open at once. A directory gets its
 * owner, permissions, attributes and times when it is left, since making files in it changes and
 * inherits them; one that is entered again later gets back what it had. Nobody else may change the
 * tree meanwhile.
 */
final class OpenDirectories implements Directories {
  private static final int OPEN_MAX = 64;
  private static final int WHILE_OPEN = 0700;
  private static final int IMPLIED_PERMISSIONS = 0755;
  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY;
  private static final byte[] HERE = Fd.bytes(".");
  private static final byte[] PARENT = Fd.bytes("..");
  private static final byte[] ACL_DEFAULT = Fd.bytes(AllowedXattrs.ACL_DEFAULT);

  /** One directory on the way down. Its descriptor is null while it is far above the last one. */
  private static final class Level {
    private final byte[] name;
    private final long inode;
    private final boolean madeEarlier;
    private @Nullable Fd fd;
    private @Nullable TarMember member;
    private Stat.@Nullable Time mtime;
    private byte @Nullable [] defaultAcl;

    private Level(byte[] name, Fd fd, long inode, boolean madeEarlier) {
      this.name = name;
      this.fd = fd;
      this.inode = inode;
      this.madeEarlier = madeEarlier;
    }
  }

  private final Fd root;
  private final MemberAttributes attributes;
  private final List<Level> levels = new ArrayList<>();

  /** {@code root} stays the caller's to close. */
  OpenDirectories(Fd root, MemberAttributes attributes) throws IOException {
    this.root = root;
    this.attributes = attributes;
    levels.add(new Level(HERE, root, root.stat().inode(), false));
  }

  /**
   * The open directory with these names; those that are not there are made, as root's and with the
   * time of {@code cause}. Good until the next call.
   */
  @Override
  public Fd at(List<byte[]> names, TarMember cause) throws IOException {
    int same = commonLevels(names);
    while (levels.size() - 1 > same) {
      leave();
    }
    for (int i = same; i < names.size(); i++) {
      enter(names.get(i), cause);
    }
    return top();
  }

  /**
   * Makes the directory {@code path}, or takes {@code member}'s attributes for it if it is there.
   */
  @Override
  public void add(MemberPath path, TarMember member) throws IOException {
    if (path.isRoot()) {
      at(List.of(), member);
      levels.getFirst().member = member;
      return;
    }
    if (commonLevels(path.all()) == path.parents().size() + 1) {
      at(path.all(), member);
      levels.getLast().member = member;
      return;
    }
    Fd parent = at(path.parents(), member);
    boolean made = made(parent, path.name());
    push(parent, path.name(), !made);
    levels.getLast().member = member;
  }

  /** Leaves all directories; they are then finished. */
  @Override
  public void finish() throws IOException {
    while (levels.size() > 1) {
      leave();
    }
    Level last = levels.getFirst();
    if (last.member != null) {
      attributes.applyToDirectory(root, last.member, false);
    }
  }

  @Override
  public void close() {
    for (Level level : levels.subList(1, levels.size())) {
      if (level.fd != null) {
        level.fd.close();
      }
    }
  }

  private int commonLevels(List<byte[]> names) {
    int same = 0;
    while (same < names.size()
        && same + 1 < levels.size()
        && Arrays.equals(levels.get(same + 1).name, names.get(same))) {
      same++;
    }
    return same;
  }

  private void enter(byte[] name, TarMember cause) throws IOException {
    Fd parent = top();
    Stat there = parent.statIfThere(name);
    if (there != null && !there.isDirectory()) {
      throw new BadLayerException(
          cause.path(),
          "its path leads through "
              + BadLayerException.shown(name)
              + ", which is "
              + (there.isSymlink() ? "a symbolic link" : "no directory")
              + " in this layer");
    }
    boolean make = there == null;
    if (make) {
      parent.mkdirAt(name, WHILE_OPEN);
    }
    push(parent, name, !make);
    if (make) {
      levels.getLast().member = implied(cause);
    }
  }

  private void push(Fd parent, byte[] name, boolean madeEarlier) throws IOException {
    Fd fd = parent.openBeneath(name, DIRECTORY, 0);
    try {
      Stat stat = fd.stat();
      Level level = new Level(name, fd, stat.inode(), madeEarlier);
      if (madeEarlier) {
        level.mtime = stat.mtime();
        level.defaultAcl = fd.xattrAt(HERE, ACL_DEFAULT);
        if (level.defaultAcl != null) {
          fd.removeXattrAt(HERE, ACL_DEFAULT); // or what is made in here would inherit it
        }
      }
      levels.add(level);
    } catch (IOException e) {
      fd.close();
      throw e;
    }
    closeFarAbove();
  }

  private void closeFarAbove() {
    int far = levels.size() - 1 - OPEN_MAX;
    Level level = levels.get(Math.max(0, far));
    if (far > 0 && level.fd != null) {
      level.fd.close();
      level.fd = null;
    }
  }

  private void leave() throws IOException {
    Level level = levels.getLast();
    Fd fd = top();
    if (level.member != null) {
      attributes.applyToDirectory(fd, level.member, level.madeEarlier);
    } else if (level.mtime != null) {
      if (level.defaultAcl != null) {
        fd.setXattrAt(HERE, ACL_DEFAULT, level.defaultAcl);
      }
      fd.touchAt(HERE, level.mtime);
    }
    Level above = levels.get(levels.size() - 2);
    if (above.fd == null) {
      above.fd = parentOf(fd, above.inode);
    }
    levels.removeLast();
    fd.close();
  }

  private static Fd parentOf(Fd fd, long inode) throws IOException {
    Fd parent = fd.openAt(PARENT, DIRECTORY, 0);
    try {
      if (parent.stat().inode() != inode) {
        throw new IOException("the tree was changed by someone else while it was being made");
      }
      return parent;
    } catch (IOException e) {
      parent.close();
      throw e;
    }
  }

  private Fd top() {
    Fd fd = levels.getLast().fd;
    if (fd == null) {
      throw new IllegalStateException("the lowest directory is always open");
    }
    return fd;
  }

  private static boolean made(Fd parent, byte[] name) throws IOException {
    try {
      parent.mkdirAt(name, WHILE_OPEN);
      return true;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.EEXIST) && parent.statAt(name).isDirectory()) {
        return false;
      }
      throw e;
    }
  }

  private static TarMember implied(TarMember cause) {
    return new TarMember(
        cause.path(),
        TarMember.Type.DIRECTORY,
        new byte[0],
        new TarMember.Owner(0, 0, IMPLIED_PERMISSIONS),
        0,
        cause.mtime(),
        0,
        List.of());
  }
}
