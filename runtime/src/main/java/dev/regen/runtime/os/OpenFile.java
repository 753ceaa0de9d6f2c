package dev.regen.runtime.os;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An open file by itself: what it is, its content and attributes, its lock. */
abstract sealed class OpenFile implements AutoCloseable permits Fd {
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int ENXIO = 6;
  private static final int WILL_NEED = 3;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final long FICLONE = 0x40049409;
  private static final Set<Integer> NO_CLONE =
      Set.of(
          ErrnoException.EXDEV,
          ErrnoException.EINVAL,
          ErrnoException.ENOTTY,
          ErrnoException.EOPNOTSUPP,
          ErrnoException.EPERM);

  private final int number;
  private boolean closed;

  OpenFile(int number) {
    this.number = number;
  }

  /** The descriptor's number, for {@code /proc/self/fd}. */
  public final int number() {
    return number;
  }

  public final Stat stat() throws ErrnoException {
    return Statx.of(number);
  }

  /** The names of the extended attributes of this open file; one call where it has none. */
  public final List<byte[]> xattrNames() throws ErrnoException {
    return Xattrs.names(number);
  }

  /** The value of an attribute of this open file, or null where it is not set. */
  public final byte @Nullable [] xattr(byte[] attribute) throws ErrnoException {
    return Xattrs.get(number, attribute);
  }

  /** Ids as unsigned 32-bit numbers. */
  public final void chown(int uid, int gid) throws ErrnoException {
    check("fchown", path(), Libc.fchown(number, uid, gid));
  }

  /** Sets permissions, setuid, setgid and sticky among them. */
  public final void chmod(int permissions) throws ErrnoException {
    check("fchmod", path(), Libc.fchmod(number, permissions));
  }

  /** Sets the time of last change, of access too. */
  public final void touch(Stat.Time time) throws ErrnoException {
    long[] times = {time.seconds(), time.nanos(), time.seconds(), time.nanos()};
    check("futimens", path(), Libc.futimens(number, times));
  }

  /**
   * Reads into the buffer's rest; the count, 0 at the end of the file. The buffer must be direct.
   */
  public final int read(ByteBuffer direct) throws ErrnoException {
    long count = Libc.read(number, address(direct), direct.remaining());
    if (count < 0) {
      throw ErrnoException.last("read", path());
    }
    direct.position(direct.position() + (int) count);
    return (int) count;
  }

  /** Writes the whole rest of a direct buffer. */
  public final void write(ByteBuffer direct) throws ErrnoException {
    while (direct.hasRemaining()) {
      long count = Libc.write(number, address(direct), direct.remaining());
      if (count < 0) {
        throw ErrnoException.last("write", path());
      }
      direct.position(direct.position() + (int) count);
    }
  }

  /** Writes the whole rest of a direct buffer at {@code offsetBytes}. */
  public final void pwrite(ByteBuffer direct, long offsetBytes) throws ErrnoException {
    long at = offsetBytes;
    while (direct.hasRemaining()) {
      long count = Libc.pwrite(number, address(direct), direct.remaining(), at);
      if (count < 0) {
        throw ErrnoException.last("pwrite", path());
      }
      direct.position(direct.position() + (int) count);
      at += count;
    }
  }

  /** Moves to {@code offsetBytes} from the start. */
  public final void seek(long offsetBytes) throws ErrnoException {
    if (Libc.lseek(number, offsetBytes, 0) < 0) {
      throw ErrnoException.last("lseek", path());
    }
  }

  /** Where data begins at or after {@code offsetBytes}; -1 if only a hole follows. Moves there. */
  public final long seekData(long offsetBytes) throws ErrnoException {
    long at = Libc.lseek(number, offsetBytes, SEEK_DATA);
    if (at < 0) {
      if (Native.getLastError() == ENXIO) {
        return -1;
      }
      throw ErrnoException.last("lseek", path());
    }
    return at;
  }

  /** Where the next hole begins at or after {@code offsetBytes}, at the latest the file's end. */
  public final long seekHole(long offsetBytes) throws ErrnoException {
    long at = Libc.lseek(number, offsetBytes, SEEK_HOLE);
    if (at < 0) {
      throw ErrnoException.last("lseek", path());
    }
    return at;
  }

  public final void truncate(long lengthBytes) throws ErrnoException {
    check("ftruncate", path(), Libc.ftruncate(number, lengthBytes));
  }

  /**
   * Makes a hole of these bytes, the blocks of which are free then.
   *
   * @return false where the file system cannot do that; nothing has changed
   */
  public final boolean punch(long offsetBytes, long lengthBytes) throws ErrnoException {
    if (Libc.fallocate(number, KEEP_SIZE | PUNCH_HOLE, offsetBytes, lengthBytes) == 0) {
      return true;
    }
    if (Native.getLastError() == ErrnoException.EOPNOTSUPP) {
      return false;
    }
    throw ErrnoException.last("fallocate", path());
  }

  /**
   * Makes this empty file share the blocks of {@code source} until one of them is written ({@code
   * FICLONE}); costs no copying.
   *
   * @return false where the file system or the pair of mounts cannot do that; nothing has changed
   */
  public final boolean cloneOf(Fd source) throws ErrnoException {
    if (Libc.ioctl(number, FICLONE, source.number()) == 0) {
      return true;
    }
    int errno = Native.getLastError();
    if (NO_CLONE.contains(errno)) {
      return false;
    }
    throw new ErrnoException("ioctl", path(), errno);
  }

  /** Forces content and metadata; for {@code dev.regen.runtime.durable} and nobody else. */
  public final void fsync() throws ErrnoException {
    check("fsync", path(), Libc.fsync(number));
  }

  /** Forces content; for {@code dev.regen.runtime.durable} and nobody else. */
  public final void fdatasync() throws ErrnoException {
    check("fdatasync", path(), Libc.fdatasync(number));
  }

  /** Forces the file system it is on; for {@code dev.regen.runtime.durable} and nobody else. */
  public final void syncfs() throws ErrnoException {
    check("syncfs", path(), Libc.syncfs(number));
  }

  /** Asks the kernel to begin reading the file in, and waits for nothing; errors are ignored. */
  public final void startReading() {
    Libc.posix_fadvise(number, 0, 0, WILL_NEED);
  }

  /** Asks the kernel to begin writing the file out, and waits for nothing. */
  public final void startWriteout() throws ErrnoException {
    check("sync_file_range", path(), Libc.sync_file_range(number, 0, 0, 2));
  }

  /**
   * Takes the file's advisory lock; false if another descriptor holds it. Ends with {@link #close}.
   */
  public final boolean tryLock() throws ErrnoException {
    if (Libc.flock(number, 2 | 4) == 0) {
      return true;
    }
    if (Native.getLastError() == ErrnoException.EAGAIN) {
      return false;
    }
    throw ErrnoException.last("flock", path());
  }

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      Libc.close(number);
    }
  }

  static void check(String call, byte[] path, int result) throws ErrnoException {
    if (result != 0) {
      throw ErrnoException.last(call, path);
    }
  }

  private static Pointer address(ByteBuffer direct) {
    return Native.getDirectBufferPointer(direct).share(direct.position());
  }

  private byte[] path() {
    return path(number);
  }

  static byte[] path(int fd) {
    return Fd.bytes("/proc/self/fd/" + fd);
  }
}
