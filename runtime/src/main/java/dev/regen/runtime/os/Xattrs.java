package dev.regen.runtime.os;

import com.sun.jna.Native;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Extended attributes, of an open file or of a name in an open directory. */
final class Xattrs {
  private static final int MAX_BYTES = 65536;

  private Xattrs() {}

  static List<byte[]> namesAt(int directory, byte[] name) throws ErrnoException {
    byte[] path = procPath(directory, name);
    byte[] list = new byte[1024];
    long length = Libc.llistxattr(path, list, list.length);
    if (length < 0 && Native.getLastError() == ErrnoException.ERANGE) {
      list = new byte[MAX_BYTES];
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

  static List<byte[]> names(int fd) throws ErrnoException {
    long length = Libc.flistxattr(fd, null, 0);
    if (length > 0) {
      byte[] list = new byte[MAX_BYTES];
      length = Libc.flistxattr(fd, list, list.length);
      if (length > 0) {
        return split(list, length);
      }
    }
    if (length < 0 && Native.getLastError() != ErrnoException.EOPNOTSUPP) {
      throw ErrnoException.last("flistxattr", OpenFile.path(fd));
    }
    return List.of();
  }

  static byte @Nullable [] get(int fd, byte[] attribute) throws ErrnoException {
    byte[] value = new byte[MAX_BYTES];
    long length = Libc.fgetxattr(fd, Fd.nul(attribute), value, value.length);
    if (length < 0) {
      int errno = Native.getLastError();
      if (errno == ErrnoException.ENODATA || errno == ErrnoException.EOPNOTSUPP) {
        return null;
      }
      throw new ErrnoException("fgetxattr", OpenFile.path(fd), errno);
    }
    return Arrays.copyOf(value, (int) length);
  }

  private static List<byte[]> split(byte[] list, long length) {
    List<byte[]> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < length; i++) {
      if (list[i] == 0) {
        names.add(Arrays.copyOfRange(list, start, i));
        start = i + 1;
      }
    }
    return names;
  }

  static byte @Nullable [] getAt(int directory, byte[] name, byte[] attribute)
      throws ErrnoException {
    byte[] path = procPath(directory, name);
    byte[] value = new byte[256];
    long length = Libc.lgetxattr(path, Fd.nul(attribute), value, value.length);
    if (length < 0 && Native.getLastError() == ErrnoException.ERANGE) {
      value = new byte[MAX_BYTES];
      length = Libc.lgetxattr(path, Fd.nul(attribute), value, value.length);
    }
    if (length < 0) {
      int errno = Native.getLastError();
      if (errno == ErrnoException.ENODATA || errno == ErrnoException.EOPNOTSUPP) {
        return null;
      }
      throw new ErrnoException("lgetxattr", name, errno);
    }
    return Arrays.copyOf(value, (int) length);
  }

  static void setAt(int directory, byte[] name, byte[] attribute, byte[] value)
      throws ErrnoException {
    int result =
        Libc.lsetxattr(procPath(directory, name), Fd.nul(attribute), value, value.length, 0);
    OpenFile.check("lsetxattr", name, result);
  }

  static void removeAt(int directory, byte[] name, byte[] attribute) throws ErrnoException {
    OpenFile.check(
        "lremovexattr", name, Libc.lremovexattr(procPath(directory, name), Fd.nul(attribute)));
  }

  /** The calls for names take no directory, hence the way over /proc. */
  private static byte[] procPath(int directory, byte[] name) {
    byte[] prefix = Fd.bytes("/proc/self/fd/" + directory + "/");
    byte[] path = Arrays.copyOf(prefix, prefix.length + name.length + 1);
    System.arraycopy(name, 0, path, prefix.length, name.length);
    return path;
  }
}
