package dev.regen.runtime.os;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.file.Path;

/**
 * Projects: what a file system charges to one limit, whoever owns it. XFS and ext4 have them.
 *
 * <p>Source: Linux, {@code include/uapi/linux/fs.h}, {@code struct fsxattr}.
 */
public final class Project {
  /** What everything is charged to that nobody gave a project. */
  public static final int NONE = 0;

  private static final long FS_IOC_FSGETXATTR = 0x801C581FL;
  private static final int ARGUMENT_BYTES = 28;
  private static final int PROJECT_OFFSET = 12;

  private Project() {}

  /** The project of a directory; {@link #NONE} where its file system has no such thing. */
  public static int of(Path directory) throws ErrnoException {
    try (Fd opened = Fd.directory(directory);
        Memory argument = new Memory(ARGUMENT_BYTES)) {
      if (Libc.ioctl(opened.number(), FS_IOC_FSGETXATTR, argument) == 0) {
        return argument.getInt(PROJECT_OFFSET);
      }
      int errno = Native.getLastError();
      return switch (errno) {
        case ErrnoException.ENOTTY, ErrnoException.EINVAL, ErrnoException.EOPNOTSUPP -> NONE;
        default -> throw new ErrnoException("FS_IOC_FSGETXATTR", Fd.bytes(directory), errno);
      };
    }
  }
}
