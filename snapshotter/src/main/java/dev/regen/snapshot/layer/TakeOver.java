package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes files of a present tree into a new one where they are what an archive says: as hard links,
 * or out of a tree that nobody needs any more. For one thread, which also closes it.
 *
 * <p>A file of a group that is known is taken as it is. Any other is taken only if its attributes
 * are the same, it has no second name, which somebody else might read, and its bytes have been
 * compared.
 */
final class TakeOver implements AutoCloseable {
  private static final int FILE = Fd.RDONLY | Fd.NONBLOCK | Fd.NOATIME;
  private static final int COMPARED_BYTES = 256 << 10;
  private static final int BLOCK_BYTES = 512;

  /** Gives a file of one directory a name in another, which nothing has there. */
  interface Way {
    /** It keeps the name it has. */
    Way LINK = (from, name, to) -> to.linkAt(from, name, name);

    void take(Fd from, byte[] name, Fd to) throws IOException;
  }

  private final Fd present;
  private final Way way;
  private final HostIds ids;
  private final Arena arena = Arena.ofConfined();
  private final ByteBuffer buffer = arena.allocate(COMPARED_BYTES).asByteBuffer();
  private List<byte[]> names = List.of();
  private @Nullable Fd directory;

  /** {@code present} stays the caller's to close. */
  TakeOver(Fd present, Way way, HostIds ids) {
    this.present = present;
    this.way = way;
    this.ids = ids;
  }

  /**
   * Links a file, symbolic link, device or FIFO of a known group.
   *
   * @throws RegenException.Refused if it is not what it was when its group was looked up
   */
  void linkKnown(Fd parent, MemberPath path, TarMember member) throws IOException {
    Fd from = directory(path.parents());
    Stat stat = from == null ? null : from.statIfThere(path.name());
    if (from == null || stat == null || !isSame(stat, member) || !link(from, path, parent)) {
      throw new RegenException.Refused(
          BadLayerException.shown(member.path())
              + " of the present layer changed while another took its place; try again");
    }
  }

  /**
   * Links a file if it is the one that the archive has.
   *
   * @param content its bytes in the archive
   * @return whether it was linked; nothing is changed otherwise
   */
  boolean linkIfSame(Fd parent, MemberPath path, TarMember member, ByteBuffer content)
      throws IOException {
    Fd from = member.xattrs().isEmpty() ? directory(path.parents()) : null;
    Stat stat = from == null ? null : from.statIfThere(path.name());
    if (from == null
        || stat == null
        || !isSame(stat, member)
        || stat.links() != 1
        || stat.blocks512() * BLOCK_BYTES < stat.size()
        || !holds(from, path.name(), content)) {
      return false;
    }
    return link(from, path, parent);
  }

  /** False if the file has as many names as the file system allows. */
  private boolean link(Fd from, MemberPath path, Fd parent) throws IOException {
    try {
      way.take(from, path.name(), parent);
      return true;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.EMLINK)) {
        return false;
      }
      throw e;
    }
  }

  private boolean isSame(Stat stat, TarMember member) throws BadLayerException {
    TarMember.Owner owner = member.owner();
    return stat.type() == member.type().mode()
        && (stat.isSymlink() || stat.permissions() == owner.permissions())
        && stat.uid() == ids.user(owner.uid())
        && stat.gid() == ids.group(owner.gid())
        && stat.mtime().equals(member.mtime())
        && (!stat.isRegular() || stat.size() == member.sizeBytes())
        && (member.device() == 0 || stat.rdev() == member.device());
  }

  private boolean holds(Fd from, byte[] name, ByteBuffer content) throws IOException {
    try (Fd file = from.openAt(name, FILE, 0)) {
      if (!file.xattrNames().isEmpty()) {
        return false;
      }
      int at = 0;
      while (at < content.limit()) {
        buffer.clear().limit(Math.min(COMPARED_BYTES, content.limit() - at));
        int length = file.read(buffer);
        if (length == 0 || content.slice(at, length).mismatch(buffer.flip()) >= 0) {
          return false;
        }
        at += length;
      }
      return true;
    }
  }

  /** Null if the present tree has no such directory. */
  private @Nullable Fd directory(List<byte[]> wanted) throws IOException {
    if (directory != null && same(wanted, names)) {
      return directory;
    }
    close(directory);
    directory = null;
    try {
      directory = Beneath.open(present, wanted, Fd.RDONLY | Fd.DIRECTORY);
      names = wanted;
      return directory;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.ENOENT)
          || e.is(ErrnoException.ENOTDIR)
          || e.is(ErrnoException.ELOOP)
          || e.is(ErrnoException.EXDEV)) {
        return null;
      }
      throw e;
    }
  }

  private static boolean same(List<byte[]> a, List<byte[]> b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = a.size() - 1; i >= 0; i--) {
      if (!Arrays.equals(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static void close(@Nullable Fd fd) {
    if (fd != null) {
      fd.close();
    }
  }

  @Override
  public void close() {
    close(directory);
    arena.close();
  }
}
