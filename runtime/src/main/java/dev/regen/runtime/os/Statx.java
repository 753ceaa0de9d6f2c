package dev.regen.runtime.os;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import org.jspecify.annotations.Nullable;

/** {@code statx(2)}, one buffer a thread; no call follows a link in the last component. */
final class Statx {
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int BASIC_AND_MOUNT = 0x17FF;
  private static final byte[] EMPTY = {0};

  private static final ThreadLocal<Memory> BUFFER =
      ThreadLocal.withInitial(() -> new Memory(Stat.BUFFER_BYTES));

  private Statx() {}

  static Stat of(int fd) throws ErrnoException {
    return statx(fd, EMPTY, AT_EMPTY_PATH);
  }

  static Stat of(int directory, byte[] path) throws ErrnoException {
    return statx(directory, Fd.nul(path), AT_SYMLINK_NOFOLLOW);
  }

  private static Stat statx(int directory, byte[] nulled, int flags) throws ErrnoException {
    Memory buffer = BUFFER.get();
    if (Libc.statx(directory, nulled, flags, BASIC_AND_MOUNT, buffer) != 0) {
      throw ErrnoException.last("statx", nulled);
    }
    return Stat.of(buffer);
  }

  /** Null where nothing has that name. */
  static @Nullable Stat ifThere(int directory, byte[] path) throws ErrnoException {
    byte[] nulled = Fd.nul(path);
    Memory buffer = BUFFER.get();
    if (Libc.statx(directory, nulled, AT_SYMLINK_NOFOLLOW, BASIC_AND_MOUNT, buffer) == 0) {
      return Stat.of(buffer);
    }
    int errno = Native.getLastError();
    if (errno == ErrnoException.ENOENT || errno == ErrnoException.ENOTDIR) {
      return null;
    }
    throw new ErrnoException("statx", nulled, errno);
  }
}
