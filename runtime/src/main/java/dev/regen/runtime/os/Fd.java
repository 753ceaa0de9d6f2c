package dev.regen.runtime.os;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An open file or directory, and the calls relative to it.
 *
 * <p>A {@code name} is one path component unless the method says path; no method follows a symbolic
 * link in the last component. Not safe for use by several threads at once, except for the calls
 * that name no state of the descriptor ({@code *At} and {@code pwrite}).
 */
public final class Fd implements AutoCloseable {
  public static final int RDONLY = 0;
  public static final int WRONLY = 1;
  public static final int RDWR = 2;
  public static final int CREAT = 0x40;
  public static final int EXCL = 0x80;
  public static final int TRUNC = 0x200;
  public static final int APPEND = 0x400;
  public static final int NONBLOCK = 0x800;
  public static final int DIRECTORY = 0x10000;
  public static final int NOFOLLOW = 0x20000;
  public static final int NOATIME = 0x40000;
  public static final int PATH = 0x200000;

  /** {@link #statAt} and others: the current directory instead of a descriptor. */
  private static final int AT_FDCWD = -100;

  private static final int CLOEXEC = 0x80000;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_AND_MOUNT = 0x17FF;
  private static final long SYS_OPENAT2 = 437;
  private static final long RESOLVE_NO_MAGICLINKS = 2;
  private static final long RESOLVE_NO_SYMLINKS = 4;
  private static final long RESOLVE_BENEATH = 8;
  private static final byte[] EMPTY = {0};
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int XATTR_MAX_BYTES = 65536;
  private static final int LINK_TARGET_MAX_BYTES = 4096;
  private static final int LIST_BUFFER_BYTES = 64 * 1024;

  private static final ThreadLocal<Memory> STAT_BUFFER =
      ThreadLocal.withInitial(() -> new Memory(Stat.BUFFER_BYTES));

  private final int number;
  private boolean closed;

  private Fd(int number) {
    this.number = number;
  }

  /** Opens {@code path}, close-on-exec; {@code flags} of {@code open(2)}. */
  public static Fd open(byte[] path, int flags, int mode) throws ErrnoException {
    return opened("open", path, Libc.openat(AT_FDCWD, nul(path), flags | CLOEXEC, mode));
  }

  /** Opens the directory {@code path} for calls relative to it. */
  public static Fd directory(Path path) throws ErrnoException {
    return open(bytes(path), RDONLY | DIRECTORY, 0);
  }

  /** Opens one name in this directory, never through a symbolic link. */
  public Fd openAt(byte[] name, int flags, int mode) throws ErrnoException {
    return opened("openat", name, Libc.openat(number, nul(name), flags | NOFOLLOW | CLOEXEC, mode));
  }

  /**
   * Opens a relative path that must stay beneath this directory and must not cross a symbolic link,
   * whatever happens to the tree meanwhile ({@code openat2(2)}, Linux 5.6).
   *
   * @throws ErrnoException {@code EXDEV} or {@code ELOOP} where the path leads out or over a link
   */
  public Fd openBeneath(byte[] path, int flags, int mode) throws ErrnoException {
    ByteBuffer how = ByteBuffer.allocate(24).order(java.nio.ByteOrder.nativeOrder());
    how.putLong((flags | CLOEXEC) & 0xFFFFFFFFL);
    how.putLong((flags & CREAT) != 0 ? mode : 0);
    how.putLong(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    long fd = Libc.syscall(SYS_OPENAT2, number, nul(path), how.array(), 24);
    return opened("openat2", path, (int) fd);
  }

  /** The descriptor's number, for {@code /proc/self/fd}. */
  public int number() {
    return number;
  }

  public Stat stat() throws ErrnoException {
    return statx(number, EMPTY, AT_EMPTY_PATH);
  }

  public Stat statAt(byte[] name) throws ErrnoException {
    return statx(number, nul(name), AT_SYMLINK_NOFOLLOW);
  }

  /** Like {@link #statAt}, or null where nothing has that name. */
  public @Nullable Stat statIfThere(byte[] name) throws ErrnoException {
    return orNull(number, nul(name));
  }

  /** What {@code path} is, symbolic links before its last component followed. */
  public static Stat stat(Path path) throws ErrnoException {
    return statx(AT_FDCWD, nul(bytes(path)), AT_SYMLINK_NOFOLLOW);
  }

  /** Like {@link #stat(Path)}, or null where nothing has that name. */
  public static @Nullable Stat statIfThere(Path path) throws ErrnoException {
    return orNull(AT_FDCWD, nul(bytes(path)));
  }

  /** A name in a directory, and the type that the directory tells of it. */
  public static final class Name {
    private static final int DT_SHIFT = 12;

    private final byte[] bytes;
    private final int type;

    private Name(byte[] bytes, int directoryType) {
      this.bytes = bytes;
      this.type = directoryType << DT_SHIFT;
    }

    /** The name itself, not to be changed. */
    public byte[] bytes() {
      return bytes;
    }

    /** As {@link Stat#type}; 0 where the file system does not tell. */
    public int type() {
      return type;
    }
  }

  /**
   * The names in this directory without {@code .} and {@code ..}, in no order; reads from where it
   * is.
   */
  public List<Name> list() throws ErrnoException {
    List<Name> names = new ArrayList<>();
    try (Memory buffer = new Memory(LIST_BUFFER_BYTES)) {
      while (readNames(buffer, names)) {
        // until the end
      }
    }
    return names;
  }

  /**
   * Some of the names from where this directory is read, a few thousand at most; none at its end.
   */
  public List<Name> listSome() throws ErrnoException {
    List<Name> names = new ArrayList<>();
    try (Memory buffer = new Memory(LIST_BUFFER_BYTES)) {
      while (names.isEmpty() && readNames(buffer, names)) {
        // a buffer with nothing but dots is not the end
      }
    }
    return names;
  }

  private boolean readNames(Memory buffer, List<Name> names) throws ErrnoException {
    long read = Libc.getdents64(number, buffer, LIST_BUFFER_BYTES);
    if (read < 0) {
      throw ErrnoException.last("getdents64", path());
    }
    for (long at = 0; at < read; at += buffer.getShort(at + 16) & 0xFFFF) {
      byte[] name = cString(buffer, at + 19);
      if (!isDots(name)) {
        names.add(new Name(name, buffer.getByte(at + 18) & 0xFF));
      }
    }
    return read > 0;
  }

  public void mkdirAt(byte[] name, int mode) throws ErrnoException {
    check("mkdirat", name, Libc.mkdirat(number, nul(name), mode));
  }

  /**
   * Makes a device, FIFO or socket node; {@code mode} holds type and permissions, less the umask.
   */
  public void mknodAt(byte[] name, int mode, long device) throws ErrnoException {
    check("mknodat", name, Libc.mknodat(number, nul(name), mode, device));
  }

  public void symlinkAt(byte[] target, byte[] name) throws ErrnoException {
    check("symlinkat", name, Libc.symlinkat(nul(target), number, nul(name)));
  }

  public byte[] readlinkAt(byte[] name) throws ErrnoException {
    byte[] target = new byte[LINK_TARGET_MAX_BYTES];
    long length = Libc.readlinkat(number, nul(name), target, target.length);
    if (length < 0) {
      throw ErrnoException.last("readlinkat", name);
    }
    return java.util.Arrays.copyOf(target, (int) length);
  }

  /** Gives {@code name} of {@code from} a second name here; a symbolic link is linked itself. */
  public void linkAt(Fd from, byte[] name, byte[] newName) throws ErrnoException {
    check("linkat", name, Libc.linkat(from.number, nul(name), number, nul(newName), 0));
  }

  public void unlinkAt(byte[] name) throws ErrnoException {
    check("unlinkat", name, Libc.unlinkat(number, nul(name), 0));
  }

  /** Removes an empty directory. */
  public void rmdirAt(byte[] name) throws ErrnoException {
    check("rmdir", name, Libc.unlinkat(number, nul(name), AT_REMOVEDIR));
  }

  /** Ids as unsigned 32-bit numbers. */
  public void chownAt(byte[] name, int uid, int gid) throws ErrnoException {
    check("fchownat", name, Libc.fchownat(number, nul(name), uid, gid, AT_SYMLINK_NOFOLLOW));
  }

  /** Sets permissions; {@code name} must not be a symbolic link, which it would follow. */
  public void chmodAt(byte[] name, int permissions) throws ErrnoException {
    check("fchmodat", name, Libc.fchmodat(number, nul(name), permissions, 0));
  }

  /** Sets the time of last change, of access too. */
  public void touchAt(byte[] name, Stat.Time time) throws ErrnoException {
    long[] times = {time.seconds(), time.nanos(), time.seconds(), time.nanos()};
    check("utimensat", name, Libc.utimensat(number, nul(name), times, AT_SYMLINK_NOFOLLOW));
  }

  /** The names of the extended attributes of {@code name} here ({@code .} for this directory). */
  public List<byte[]> xattrNamesAt(byte[] name) throws ErrnoException {
    byte[] path = nul(procPath(name));
    byte[] list = new byte[1024];
    long length = Libc.llistxattr(path, list, list.length);
    if (length < 0 && Native.getLastError() == ErrnoException.ERANGE) {
      list = new byte[XATTR_MAX_BYTES];
      length = Libc.llistxattr(path, list, list.length);
    }
    if (length < 0) {
      if (Native.getLastError() == ErrnoException.EOPNOTSUPP) {
        return List.of();
      }
      throw ErrnoException.last("llistxattr", name);
    }
    return split(list, length);
  }

  /** The names of the extended attributes of this open file; one call where it has none. */
  public List<byte[]> xattrNames() throws ErrnoException {
    long length = Libc.flistxattr(number, null, 0);
    if (length > 0) {
      byte[] list = new byte[XATTR_MAX_BYTES];
      length = Libc.flistxattr(number, list, list.length);
      if (length > 0) {
        return split(list, length);
      }
    }
    if (length < 0 && Native.getLastError() != ErrnoException.EOPNOTSUPP) {
      throw ErrnoException.last("flistxattr", path());
    }
    return List.of();
  }

  /** The value of an attribute of this open file, or null where it is not set. */
  public byte @Nullable [] xattr(byte[] attribute) throws ErrnoException {
    byte[] value = new byte[XATTR_MAX_BYTES];
    long length = Libc.fgetxattr(number, nul(attribute), value, value.length);
    if (length < 0) {
      int errno = Native.getLastError();
      if (errno == ErrnoException.ENODATA || errno == ErrnoException.EOPNOTSUPP) {
        return null;
      }
      throw new ErrnoException("fgetxattr", path(), errno);
    }
    return java.util.Arrays.copyOf(value, (int) length);
  }

  private static List<byte[]> split(byte[] list, long length) {
    List<byte[]> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < length; i++) {
      if (list[i] == 0) {
        names.add(java.util.Arrays.copyOfRange(list, start, i));
        start = i + 1;
      }
    }
    return names;
  }

  /** The value of an attribute, or null where it is not set. */
  public byte @Nullable [] xattrAt(byte[] name, byte[] attribute) throws ErrnoException {
    byte[] path = nul(procPath(name));
    byte[] value = new byte[256];
    long length = Libc.lgetxattr(path, nul(attribute), value, value.length);
    if (length < 0 && Native.getLastError() == ErrnoException.ERANGE) {
      value = new byte[XATTR_MAX_BYTES];
      length = Libc.lgetxattr(path, nul(attribute), value, value.length);
    }
    if (length < 0) {
      int errno = Native.getLastError();
      if (errno == ErrnoException.ENODATA || errno == ErrnoException.EOPNOTSUPP) {
        return null;
      }
      throw new ErrnoException("lgetxattr", name, errno);
    }
    return java.util.Arrays.copyOf(value, (int) length);
  }

  public void setXattrAt(byte[] name, byte[] attribute, byte[] value) throws ErrnoException {
    int result = Libc.lsetxattr(nul(procPath(name)), nul(attribute), value, value.length, 0);
    check("lsetxattr", name, result);
  }

  public void removeXattrAt(byte[] name, byte[] attribute) throws ErrnoException {
    check("lremovexattr", name, Libc.lremovexattr(nul(procPath(name)), nul(attribute)));
  }

  /**
   * Renames within one mount; for {@code dev.regen.runtime.durable} and nobody else.
   *
   * @param flags 0, or those of {@code renameat2(2)}: 1 no-replace, 2 exchange
   */
  public void renameAt(byte[] name, Fd to, byte[] newName, int flags) throws ErrnoException {
    int result = Libc.renameat2(number, nul(name), to.number, nul(newName), flags);
    check("renameat2", name, result);
  }

  /**
   * Reads into the buffer's rest; the count, 0 at the end of the file. The buffer must be direct.
   */
  public int read(ByteBuffer direct) throws ErrnoException {
    long count = Libc.read(number, address(direct), direct.remaining());
    if (count < 0) {
      throw ErrnoException.last("read", path());
    }
    direct.position(direct.position() + (int) count);
    return (int) count;
  }

  /** Writes the whole rest of a direct buffer. */
  public void write(ByteBuffer direct) throws ErrnoException {
    while (direct.hasRemaining()) {
      long count = Libc.write(number, address(direct), direct.remaining());
      if (count < 0) {
        throw ErrnoException.last("write", path());
      }
      direct.position(direct.position() + (int) count);
    }
  }

  /** Writes the whole rest of a direct buffer at {@code offsetBytes}. */
  public void pwrite(ByteBuffer direct, long offsetBytes) throws ErrnoException {
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
  public void seek(long offsetBytes) throws ErrnoException {
    if (Libc.lseek(number, offsetBytes, 0) < 0) {
      throw ErrnoException.last("lseek", path());
    }
  }

  /** Where data begins at or after {@code offsetBytes}; -1 if only a hole follows. Moves there. */
  public long seekData(long offsetBytes) throws ErrnoException {
    long at = Libc.lseek(number, offsetBytes, SEEK_DATA);
    if (at < 0) {
      if (Native.getLastError() == 6 /* ENXIO */) {
        return -1;
      }
      throw ErrnoException.last("lseek", path());
    }
    return at;
  }

  /** Where the next hole begins at or after {@code offsetBytes}, at the latest the file's end. */
  public long seekHole(long offsetBytes) throws ErrnoException {
    long at = Libc.lseek(number, offsetBytes, SEEK_HOLE);
    if (at < 0) {
      throw ErrnoException.last("lseek", path());
    }
    return at;
  }

  public void truncate(long lengthBytes) throws ErrnoException {
    check("ftruncate", path(), Libc.ftruncate(number, lengthBytes));
  }

  /** Forces content and metadata; for {@code dev.regen.runtime.durable} and nobody else. */
  public void fsync() throws ErrnoException {
    check("fsync", path(), Libc.fsync(number));
  }

  /** Forces content; for {@code dev.regen.runtime.durable} and nobody else. */
  public void fdatasync() throws ErrnoException {
    check("fdatasync", path(), Libc.fdatasync(number));
  }

  /** Asks the kernel to begin writing the file out, and waits for nothing. */
  public void startWriteout() throws ErrnoException {
    check("sync_file_range", path(), Libc.sync_file_range(number, 0, 0, 2));
  }

  /**
   * Takes the file's advisory lock; false if another descriptor holds it. Ends with {@link #close}.
   */
  public boolean tryLock() throws ErrnoException {
    if (Libc.flock(number, 2 | 4) == 0) {
      return true;
    }
    if (Native.getLastError() == ErrnoException.EAGAIN) {
      return false;
    }
    throw ErrnoException.last("flock", path());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Libc.close(number);
    }
  }

  /** The bytes of a path in UTF-8. */
  public static byte[] bytes(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The bytes of a string in UTF-8. */
  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] nul(byte[] path) {
    return java.util.Arrays.copyOf(path, path.length + 1);
  }

  private static Stat statx(int dirfd, byte[] nulled, int flags) throws ErrnoException {
    Memory buffer = STAT_BUFFER.get();
    if (Libc.statx(dirfd, nulled, flags, STATX_BASIC_AND_MOUNT, buffer) != 0) {
      throw ErrnoException.last("statx", nulled);
    }
    return Stat.of(buffer);
  }

  private static @Nullable Stat orNull(int dirfd, byte[] nulled) throws ErrnoException {
    Memory buffer = STAT_BUFFER.get();
    if (Libc.statx(dirfd, nulled, AT_SYMLINK_NOFOLLOW, STATX_BASIC_AND_MOUNT, buffer) == 0) {
      return Stat.of(buffer);
    }
    int errno = Native.getLastError();
    if (errno == ErrnoException.ENOENT || errno == ErrnoException.ENOTDIR) {
      return null;
    }
    throw new ErrnoException("statx", nulled, errno);
  }

  private static Fd opened(String call, byte[] path, int fd) throws ErrnoException {
    if (fd < 0) {
      throw ErrnoException.last(call, path);
    }
    return new Fd(fd);
  }

  private static void check(String call, byte[] path, int result) throws ErrnoException {
    if (result != 0) {
      throw ErrnoException.last(call, path);
    }
  }

  private static Pointer address(ByteBuffer direct) {
    return Native.getDirectBufferPointer(direct).share(direct.position());
  }

  private static boolean isDots(byte[] name) {
    return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
  }

  private static byte[] cString(Memory buffer, long offset) {
    int length = (int) buffer.indexOf(offset, (byte) 0);
    return buffer.getByteArray(offset, length);
  }

  private byte[] procPath(byte[] name) {
    byte[] prefix = bytes("/proc/self/fd/" + number + "/");
    byte[] path = java.util.Arrays.copyOf(prefix, prefix.length + name.length);
    System.arraycopy(name, 0, path, prefix.length, name.length);
    return path;
  }

  private byte[] path() {
    return bytes("/proc/self/fd/" + number);
  }
}
