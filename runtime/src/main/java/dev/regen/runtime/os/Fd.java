package dev.regen.runtime.os;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An open file or directory, and the calls relative to it.
 *
 * <p>A {@code name} is one path component unless the method says path; no method follows a symbolic
 * link in the last component. Not safe for use by several threads at once, except for the calls
 * that name no state of the descriptor ({@code *At} and {@code pwrite}).
 */
public final class Fd extends OpenFile {
  public static final int RDONLY = 0;
  public static final int WRONLY = 1;
  public static final int RDWR = 2;
  public static final int CREAT = 0x40;
  public static final int EXCL = 0x80;
  public static final int TRUNC = 0x200;
  public static final int APPEND = 0x400;
  public static final int NONBLOCK = 0x800;
  public static final int PAST_CACHE = 0x4000;
  public static final int DIRECTORY = 0x10000;
  public static final int NOFOLLOW = 0x20000;
  public static final int NOATIME = 0x40000;
  public static final int PATH = 0x200000;

  /** {@link #statAt} and others: the current directory instead of a descriptor. */
  private static final int AT_FDCWD = -100;

  private static final int CLOEXEC = 0x80000;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final long SYS_OPENAT2 = 437;
  private static final long RESOLVE_NO_MAGICLINKS = 2;
  private static final long RESOLVE_NO_SYMLINKS = 4;
  private static final long RESOLVE_BENEATH = 8;
  private static final int LINK_TARGET_MAX_BYTES = 4096;

  private Fd(int number) {
    super(number);
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
    return opened(
        "openat", name, Libc.openat(number(), nul(name), flags | NOFOLLOW | CLOEXEC, mode));
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
    long fd = Libc.syscall(SYS_OPENAT2, number(), nul(path), how.array(), 24);
    return opened("openat2", path, (int) fd);
  }

  public Stat statAt(byte[] name) throws ErrnoException {
    return Statx.of(number(), name);
  }

  /** Like {@link #statAt}, or null where nothing has that name. */
  public @Nullable Stat statIfThere(byte[] name) throws ErrnoException {
    return Statx.ifThere(number(), name);
  }

  /** What {@code path} is, symbolic links before its last component followed. */
  public static Stat stat(Path path) throws ErrnoException {
    return Statx.of(AT_FDCWD, bytes(path));
  }

  /** Like {@link #stat(Path)}, or null where nothing has that name. */
  public static @Nullable Stat statIfThere(Path path) throws ErrnoException {
    return Statx.ifThere(AT_FDCWD, bytes(path));
  }

  /** A name in a directory, and the type that the directory tells of it. */
  public static final class Name {
    private static final int DT_SHIFT = 12;

    private final byte[] bytes;
    private final int type;

    Name(byte[] bytes, int directoryType) {
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
    return DirectoryNames.all(number());
  }

  /**
   * Some of the names from where this directory is read, a few thousand at most; none at its end.
   */
  public List<Name> listSome() throws ErrnoException {
    return DirectoryNames.some(number());
  }

  public void mkdirAt(byte[] name, int mode) throws ErrnoException {
    check("mkdirat", name, Libc.mkdirat(number(), nul(name), mode));
  }

  /**
   * Makes a device, FIFO or socket node; {@code mode} holds type and permissions, less the umask.
   */
  public void mknodAt(byte[] name, int mode, long device) throws ErrnoException {
    check("mknodat", name, Libc.mknodat(number(), nul(name), mode, device));
  }

  public void symlinkAt(byte[] target, byte[] name) throws ErrnoException {
    check("symlinkat", name, Libc.symlinkat(nul(target), number(), nul(name)));
  }

  public byte[] readlinkAt(byte[] name) throws ErrnoException {
    byte[] target = new byte[LINK_TARGET_MAX_BYTES];
    long length = Libc.readlinkat(number(), nul(name), target, target.length);
    if (length < 0) {
      throw ErrnoException.last("readlinkat", name);
    }
    return java.util.Arrays.copyOf(target, (int) length);
  }

  /** Gives {@code name} of {@code from} a second name here; a symbolic link is linked itself. */
  public void linkAt(Fd from, byte[] name, byte[] newName) throws ErrnoException {
    check("linkat", name, Libc.linkat(from.number(), nul(name), number(), nul(newName), 0));
  }

  public void unlinkAt(byte[] name) throws ErrnoException {
    check("unlinkat", name, Libc.unlinkat(number(), nul(name), 0));
  }

  /** Removes an empty directory. */
  public void rmdirAt(byte[] name) throws ErrnoException {
    check("rmdir", name, Libc.unlinkat(number(), nul(name), AT_REMOVEDIR));
  }

  /** Ids as unsigned 32-bit numbers. */
  public void chownAt(byte[] name, int uid, int gid) throws ErrnoException {
    check("fchownat", name, Libc.fchownat(number(), nul(name), uid, gid, AT_SYMLINK_NOFOLLOW));
  }

  /** Sets permissions; {@code name} must not be a symbolic link, which it would follow. */
  public void chmodAt(byte[] name, int permissions) throws ErrnoException {
    check("fchmodat", name, Libc.fchmodat(number(), nul(name), permissions, 0));
  }

  /** Sets the time of last change, of access too. */
  public void touchAt(byte[] name, Stat.Time time) throws ErrnoException {
    long[] times = {time.seconds(), time.nanos(), time.seconds(), time.nanos()};
    check("utimensat", name, Libc.utimensat(number(), nul(name), times, AT_SYMLINK_NOFOLLOW));
  }

  /** The names of the extended attributes of {@code name} here ({@code .} for this directory). */
  public List<byte[]> xattrNamesAt(byte[] name) throws ErrnoException {
    return Xattrs.namesAt(number(), name);
  }

  /** The value of an attribute, or null where it is not set. */
  public byte @Nullable [] xattrAt(byte[] name, byte[] attribute) throws ErrnoException {
    return Xattrs.getAt(number(), name, attribute);
  }

  public void setXattrAt(byte[] name, byte[] attribute, byte[] value) throws ErrnoException {
    Xattrs.setAt(number(), name, attribute, value);
  }

  public void removeXattrAt(byte[] name, byte[] attribute) throws ErrnoException {
    Xattrs.removeAt(number(), name, attribute);
  }

  /**
   * Renames within one mount; for {@code dev.regen.runtime.durable} and nobody else.
   *
   * @param flags 0, or those of {@code renameat2(2)}: 1 no-replace, 2 exchange
   */
  public void renameAt(byte[] name, Fd to, byte[] newName, int flags) throws ErrnoException {
    int result = Libc.renameat2(number(), nul(name), to.number(), nul(newName), flags);
    check("renameat2", name, result);
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

  private static Fd opened(String call, byte[] path, int fd) throws ErrnoException {
    if (fd < 0) {
      throw ErrnoException.last(call, path);
    }
    return new Fd(fd);
  }
}
