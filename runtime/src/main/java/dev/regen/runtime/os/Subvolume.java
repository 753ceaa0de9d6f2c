package dev.regen.runtime.os;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Subvolumes of btrfs: trees that are copied and removed as one.
 *
 * <p>Source: Linux, {@code include/uapi/linux/btrfs.h}.
 */
public final class Subvolume {
  private static final long SNAP_CREATE_V2 = 0x50009417L;
  private static final long SNAP_DESTROY = 0x5000940FL;
  private static final int ARGUMENT_BYTES = 4096;
  private static final int NAME_V2_OFFSET = 56;
  private static final int NAME_OFFSET = 8;
  private static final int NAME_MAX_BYTES = 255;

  private Subvolume() {}

  /**
   * Makes {@code to}, which must not exist, a writable copy of the subvolume {@code of}. It shares
   * all blocks; what is dirty is written out first, so it takes as long as that.
   *
   * @return false if {@code of} is no subvolume, or lies elsewhere; nothing has changed
   */
  public static boolean snapshot(Path of, Path to) throws ErrnoException {
    try (Fd source = Fd.directory(of);
        Fd directory = Fd.directory(Objects.requireNonNull(to.getParent(), "no directory above"));
        Memory argument = argument(to, NAME_V2_OFFSET)) {
      argument.setLong(0, source.number());
      return done("BTRFS_IOC_SNAP_CREATE_V2", to, directory, SNAP_CREATE_V2, argument);
    }
  }

  /**
   * Removes a subvolume with all that it holds, in one step.
   *
   * @return false if {@code path} is no subvolume, or others lie within; nothing has changed
   */
  public static boolean remove(Path path) throws ErrnoException {
    try (Fd directory =
            Fd.directory(Objects.requireNonNull(path.getParent(), "no directory above"));
        Memory argument = argument(path, NAME_OFFSET)) {
      return done("BTRFS_IOC_SNAP_DESTROY", path, directory, SNAP_DESTROY, argument);
    }
  }

  private static Memory argument(Path path, int nameOffset) {
    byte[] name = Fd.bytes(path.getFileName());
    if (name.length > NAME_MAX_BYTES) {
      throw new IllegalArgumentException("a name of more than 255 bytes");
    }
    Memory argument = new Memory(ARGUMENT_BYTES);
    argument.clear();
    argument.write(nameOffset, name, 0, name.length);
    return argument;
  }

  private static boolean done(String call, Path path, Fd directory, long request, Memory argument)
      throws ErrnoException {
    if (Libc.ioctl(directory.number(), request, argument) == 0) {
      return true;
    }
    int errno = Native.getLastError();
    return switch (errno) {
      case ErrnoException.ENOTTY,
          ErrnoException.EINVAL,
          ErrnoException.EXDEV,
          ErrnoException.ENOTDIR,
          ErrnoException.ENOENT,
          ErrnoException.ENOTEMPTY,
          ErrnoException.EOPNOTSUPP ->
          false;
      default -> throw new ErrnoException(call, Fd.bytes(path), errno);
    };
  }
}
