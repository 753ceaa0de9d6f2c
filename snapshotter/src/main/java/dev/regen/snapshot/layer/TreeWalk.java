package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks a layer tree depth first in byte order of names, without following a symbolic link, and
 * says what of overlay's form each file is. Holds the names of the directories it is in, and a path
 * for each inode with several names.
 */
final class TreeWalk implements AutoCloseable {
  /** Of a path that is too long, as much as tells which one it is. */
  private static final int SHOWN_MAX = 80;

  /** A directory that is being walked, and where in it. */
  private static final class Level {
    private final Directory directory;
    private final DirectoryLook look;
    private int next;

    private Level(Directory directory, DirectoryLook look) {
      this.directory = directory;
      this.look = look;
    }

    private boolean holdsXattrWhiteouts() {
      return look.opacity() == Whiteouts.Opacity.HOLDS_XATTR_WHITEOUTS;
    }
  }

  private final Paths placeholders;
  private final Paths excludes;
  private final Omissions omissions;
  private final LinkTable links = new LinkTable();
  private final Deque<Level> levels = new ArrayDeque<>();
  private final Deque<TreeEntry> ready = new ArrayDeque<>();
  private final long device;
  private final WalkAhead ahead;

  /** Begins to walk; {@code root} is open until this is closed. */
  TreeWalk(Directory root, ArchiveRequest request, Omissions omissions) throws IOException {
    this.placeholders = new Paths(request.placeholders());
    this.excludes = new Paths(request.excludes());
    this.omissions = omissions;
    this.device = root.stat().device();
    this.ahead = new WalkAhead(root.fd(), excludes);
    try {
      enter(root, root.stat());
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public void close() {
    ahead.close();
  }

  /** The next entry, or null after the last. */
  @Nullable TreeEntry next() throws IOException {
    while (ready.isEmpty()) {
      Level level = levels.peek();
      if (level == null) {
        return null;
      }
      if (level.next == level.look.names().size()) {
        levels.pop();
      } else {
        visit(level, level.next++);
      }
    }
    return ready.remove();
  }

  private void visit(Level level, int number) throws IOException {
    Directory directory = level.directory;
    byte[] name = level.look.names().get(number).bytes();
    byte[] path = Paths.below(directory.path(), name);
    if (excludes.contains(path)) {
      return;
    }
    checkLimits(path);
    Stat looked = level.look.stat(number);
    Stat stat =
        looked != null ? looked : TreeChanged.during(path, () -> directory.fd().statAt(name));
    if (stat.device() != device) {
      throw new RegenException.Refused(
          "another file system is mounted at " + Paths.shown(path) + "; unmount it and try again");
    }
    if (stat.isDirectory()) {
      enter(directory.child(name, path, stat), stat);
    } else if (stat.type() == Stat.SOCKET) {
      omissions.socket(path);
    } else if (isWhiteout(level, name, stat)) {
      ready.add(entry(directory, name, path, EntryIndex.Type.WHITEOUT, stat));
    } else if (!isPlaceholder(path, stat)) {
      ready.add(nameOf(directory, name, path, stat));
    }
  }

  private void checkLimits(byte[] path) throws RegenException {
    if (path.length > EntryIndex.PATH_BYTES_MAX || levels.size() > EntryIndex.LEVELS_MAX) {
      String shown = Paths.shown(Arrays.copyOf(path, Math.min(path.length, SHOWN_MAX)));
      throw new RegenException.Refused(
          "a path of more than 1,000 names or 64 KiB begins with " + shown + "…; exclude it");
    }
  }

  private boolean isWhiteout(Level level, byte[] name, Stat stat) throws IOException {
    return Whiteouts.isDevice(stat)
        || (level.holdsXattrWhiteouts() && Whiteouts.isXattrForm(level.directory.fd(), name, stat));
  }

  private boolean isPlaceholder(byte[] path, Stat stat) {
    return stat.isRegular() && stat.size() == 0 && placeholders.contains(path);
  }

  private TreeEntry nameOf(Directory directory, byte[] name, byte[] path, Stat stat)
      throws RegenException {
    if (stat.links() > 1) {
      byte[] first = links.firstOrAdd(stat.inode(), path);
      if (first != null) {
        return new TreeEntry(
            directory, name, path, EntryIndex.Type.HARD_LINK, stat, first, List.of());
      }
    }
    return entry(directory, name, path, type(path, stat), stat);
  }

  private void enter(Directory directory, Stat stat) throws IOException {
    DirectoryLook looked = ahead.at(directory.path());
    DirectoryLook look = looked == null ? DirectoryLook.at(directory.fd()) : looked;
    if (look.names().isEmpty()
        && look.opacity() == Whiteouts.Opacity.NONE
        && placeholders.contains(directory.path())) {
      return;
    }
    levels.push(new Level(directory, look));
    byte[] self = Fd.bytes(".");
    ready.add(
        new TreeEntry(
            directory,
            self,
            directory.path(),
            EntryIndex.Type.DIRECTORY,
            stat,
            EntryIndex.NO_BYTES,
            look.xattrNames()));
    if (look.opacity() == Whiteouts.Opacity.OPAQUE) {
      ready.add(entry(directory, self, directory.path(), EntryIndex.Type.OPAQUE, stat));
    }
  }

  private static TreeEntry entry(
      Directory directory, byte[] name, byte[] path, EntryIndex.Type type, Stat stat) {
    return new TreeEntry(directory, name, path, type, stat, EntryIndex.NO_BYTES, List.of());
  }

  private static EntryIndex.Type type(byte[] path, Stat stat) throws RegenException {
    return switch (stat.type()) {
      case Stat.REGULAR -> EntryIndex.Type.FILE;
      case Stat.SYMLINK -> EntryIndex.Type.SYMLINK;
      case Stat.CHARACTER_DEVICE -> EntryIndex.Type.CHARACTER_DEVICE;
      case Stat.BLOCK_DEVICE -> EntryIndex.Type.BLOCK_DEVICE;
      case Stat.FIFO -> EntryIndex.Type.FIFO;
      default ->
          throw new RegenException.Refused(
              Paths.shown(path) + " is of a type that no archive holds; exclude it");
    };
  }
}
