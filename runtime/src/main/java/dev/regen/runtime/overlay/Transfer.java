package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Brings files from one tree into another, by the cheapest way there is: a hard link; where that
 * leads to another mount or subvolume, shared blocks; else a copy, holes staying holes. Files that
 * are one file there are one here.
 */
final class Transfer {
  private static final int BUFFER_BYTES = 128 * 1024;
  private static final int BLOCK_BYTES = 512;

  private final Fd target;
  private final Deadline deadline;
  private final Map<Identity, Place> copies = new HashMap<>();
  private boolean mayLink;
  private boolean mayClone = true;
  private boolean copied;
  private ByteBuffer buffer = ByteBuffer.allocate(0);

  private record Identity(long device, long inode) {}

  /** A name in a directory beneath the target. */
  private static final class Place {
    private final byte[] directory;
    private final byte[] name;

    private Place(byte[] directory, byte[] name) {
      this.directory = directory;
      this.name = name;
    }
  }

  /**
   * Begins.
   *
   * @param target the root of the tree that is made or changed
   * @param mayLink whether both trees may have the same files
   */
  Transfer(Fd target, boolean mayLink, Deadline deadline) {
    this.target = target;
    this.mayLink = mayLink;
    this.deadline = deadline;
  }

  /** The path of a name in a directory. */
  static byte[] below(byte[] directory, byte[] name) {
    int length = directory.length == 0 ? 0 : directory.length + 1;
    byte[] path = Arrays.copyOf(directory, length + name.length);
    if (length > 0) {
      path[length - 1] = '/';
    }
    System.arraycopy(name, 0, path, length, name.length);
    return path;
  }

  /** Whether bytes had to be copied, which takes its time. */
  boolean copied() {
    return copied;
  }

  /**
   * Brings what is no directory; the name must be free.
   *
   * @param path of the directory {@code to} beneath the target, empty for the target itself
   */
  void bring(Fd from, byte[] name, Stat stat, Fd to, byte[] path) throws IOException {
    if (mayLink && linked(from, name, to)) {
      return;
    }
    if (stat.links() > 1 && linkedToItsCopy(stat, name, to)) {
      return;
    }
    switch (stat.type()) {
      case Stat.REGULAR -> copyContent(from, name, stat, to);
      case Stat.SYMLINK -> to.symlinkAt(from.readlinkAt(name), name);
      default -> to.mknodAt(name, stat.mode(), stat.rdev());
    }
    Attributes.give(from, to, name, stat);
    if (stat.links() > 1) {
      copies.put(new Identity(stat.device(), stat.inode()), new Place(path, name));
    }
  }

  private boolean linked(Fd from, byte[] name, Fd to) throws IOException {
    try {
      to.linkAt(from, name, name);
      return true;
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ErrnoException.EXDEV -> mayLink = false;
        case ErrnoException.EMLINK, ErrnoException.EPERM -> {}
        default -> throw e;
      }
      return false;
    }
  }

  private boolean linkedToItsCopy(Stat stat, byte[] name, Fd to) throws IOException {
    Place place = copies.get(new Identity(stat.device(), stat.inode()));
    if (place == null) {
      return false;
    }
    byte[] path = place.directory.length == 0 ? new byte[] {'.'} : place.directory;
    try (Fd directory = target.openBeneath(path, Fd.PATH | Fd.DIRECTORY, 0)) {
      to.linkAt(directory, place.name, name);
      return true;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.EMLINK)) {
        return false;
      }
      throw e;
    }
  }

  private void copyContent(Fd from, byte[] name, Stat stat, Fd to) throws IOException {
    try (Fd in = from.openAt(name, Fd.RDONLY, 0);
        Fd out = to.openAt(name, Fd.WRONLY | Fd.CREAT | Fd.EXCL, 0600)) {
      if (mayClone && out.cloneOf(in)) {
        return;
      }
      mayClone = false;
      copied = true;
      if (stat.blocks512() * BLOCK_BYTES >= stat.size()) {
        copyRange(in, out, 0, stat.size());
      } else {
        copyData(in, out, stat.size());
      }
    }
  }

  /** Holes stay holes. */
  private void copyData(Fd in, Fd out, long size) throws IOException {
    long at = in.seekData(0);
    while (at >= 0 && at < size) {
      long end = in.seekHole(at);
      in.seek(at);
      copyRange(in, out, at, end);
      at = in.seekData(end);
    }
    out.truncate(size);
  }

  private void copyRange(Fd in, Fd out, long from, long to) throws IOException {
    if (buffer.capacity() == 0) {
      buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    }
    long at = from;
    while (at < to) {
      deadline.check();
      buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
      int read = in.read(buffer);
      if (read == 0) {
        return;
      }
      out.pwrite(buffer.flip(), at);
      at += read;
    }
  }
}
