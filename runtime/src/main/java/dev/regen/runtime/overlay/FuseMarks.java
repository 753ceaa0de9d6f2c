package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts.Opacity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What fuse-overlayfs writes into an upper beside what overlay would: names that begin with {@code
 * .wh.}, which it lets no container use; attributes {@code user.fuseoverlayfs.*}, which it shows to
 * none; and every new directory as opaque.
 *
 * <p>Source: fuse-overlayfs 1.10, as root: {@code .wh..wh..opq} and a device 0/0 {@code .wh..opq}
 * beside overlay's attribute, {@code user.fuseoverlayfs.origin} at what was copied up. Where it may
 * make no device, {@code .wh.NAME} is the deletion of NAME.
 */
public final class FuseMarks {
  private static final int DEPTH_MAX = 2_000;
  private static final byte[] SELF = {'.'};
  private static final byte[] OPAQUE = Fd.bytes("trusted.overlay.opaque");
  private static final byte[] YES = {'y'};
  private static final String ATTRIBUTES = "user.fuseoverlayfs.";

  private final boolean allThere;
  private final Deadline deadline;

  private FuseMarks(boolean allThere, Deadline deadline) {
    this.allThere = allThere;
    this.deadline = deadline;
  }

  /**
   * Makes a layer tree of the upper of fuse-overlayfs what overlay's would be. The same again after
   * it was interrupted; forces nothing. A mark of a file that the upper still has is gone there
   * too, which costs the file its inode number at the next mount.
   *
   * @param lowers the layers below; if they are all still there, a directory that none has is not
   *     opaque
   * @throws LinkedTree.TooLong when {@code limit} is over; a part is done then
   */
  public static void remove(Path tree, List<Path> lowers, Duration limit) throws IOException {
    List<Fd> below = new ArrayList<>();
    try (Fd root = Fd.directory(tree)) {
      boolean allThere = true;
      for (Path lower : lowers) {
        try {
          below.add(Fd.directory(lower));
        } catch (ErrnoException e) {
          if (!e.is(ErrnoException.ENOENT)) {
            throw e;
          }
          allThere = false;
        }
      }
      new FuseMarks(allThere, new Deadline(tree, limit)).walk(root, below, 0);
    } finally {
      below.forEach(Fd::close);
    }
  }

  /** {@code below}: what the layers below have in the same place, the topmost first. */
  private void walk(Fd directory, List<Fd> below, int depth) throws IOException {
    if (depth > DEPTH_MAX) {
      throw new IOException("directories lie deeper in each other than " + DEPTH_MAX);
    }
    Stat before = directory.stat();
    List<byte[]> names = new ArrayList<>();
    for (Fd.Name entry : directory.list()) {
      if (text(entry.bytes()).startsWith(Whiteouts.PREFIX)) {
        mark(directory, entry.bytes());
      } else {
        names.add(entry.bytes());
      }
    }
    boolean opaque = Whiteouts.opacity(directory) == Opacity.OPAQUE;
    if (opaque && allThere && below.isEmpty()) {
      directory.removeXattrAt(SELF, OPAQUE);
    }
    removeAttributes(directory, SELF);
    for (byte[] name : names) {
      deadline.pass();
      if (directory.statAt(name).isDirectory()) {
        enter(directory, name, opaque ? List.of() : below, depth);
      } else {
        removeAttributes(directory, name);
      }
    }
    directory.touchAt(SELF, before.mtime());
  }

  private void enter(Fd directory, byte[] name, List<Fd> lowers, int depth) throws IOException {
    List<Fd> below = new ArrayList<>();
    try (Fd opened = directory.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
      for (Fd lower : lowers) {
        Stat there = lower.statIfThere(name);
        if (there != null && !there.isDirectory()) {
          break;
        }
        if (there != null) {
          below.add(lower.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0));
          if (Whiteouts.opacity(below.getLast()) == Opacity.OPAQUE) {
            break;
          }
        }
      }
      walk(opened, below, depth + 1);
    } finally {
      below.forEach(Fd::close);
    }
  }

  /** What it says is said in overlay's way before it goes. */
  private static void mark(Fd directory, byte[] name) throws IOException {
    if (Whiteouts.isOpaqueEntry(name)) {
      directory.setXattrAt(SELF, OPAQUE, YES);
    } else if (directory.statAt(name).isRegular()) {
      byte[] deleted = Arrays.copyOfRange(name, Whiteouts.PREFIX.length(), name.length);
      if (directory.statIfThere(deleted) == null) {
        directory.mknodAt(deleted, Stat.CHARACTER_DEVICE, 0);
      }
    }
    TreeRemoval.removeAt(directory, name);
  }

  private static void removeAttributes(Fd directory, byte[] name) throws IOException {
    for (byte[] attribute : directory.xattrNamesAt(name)) {
      if (text(attribute).startsWith(ATTRIBUTES)) {
        directory.removeXattrAt(name, attribute);
      }
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
