package dev.regen.runtime.os;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A system call that failed: which one, on what, and why. */
public final class ErrnoException extends IOException {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EIO = 5;
  public static final int EAGAIN = 11;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int EMLINK = 31;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int ENODATA = 61;
  public static final int EOPNOTSUPP = 95;

  private static final long serialVersionUID = 1;

  private static final Map<Integer, String> TEXTS =
      Map.ofEntries(
          Map.entry(EPERM, "not permitted"),
          Map.entry(ENOENT, "no such file"),
          Map.entry(ESRCH, "no such process"),
          Map.entry(EIO, "input/output error"),
          Map.entry(EAGAIN, "in use or changing"),
          Map.entry(EBUSY, "busy"),
          Map.entry(EEXIST, "exists already"),
          Map.entry(EXDEV, "leads outside or to another mount"),
          Map.entry(ENOTDIR, "not a directory"),
          Map.entry(EISDIR, "is a directory"),
          Map.entry(EINVAL, "invalid argument"),
          Map.entry(ENOTTY, "not for this kind of file"),
          Map.entry(ENOSPC, "no space left on the disk"),
          Map.entry(EROFS, "the file system is read-only"),
          Map.entry(EMLINK, "too many hard links"),
          Map.entry(ERANGE, "result too large"),
          Map.entry(ENAMETOOLONG, "name too long"),
          Map.entry(ENOTEMPTY, "directory not empty"),
          Map.entry(ELOOP, "a symbolic link is in the way"),
          Map.entry(ENODATA, "no such attribute"),
          Map.entry(EOPNOTSUPP, "not supported by this file system"));

  private final String call;
  private final int errno;

  ErrnoException(String call, byte[] path, int errno) {
    super(
        call
            + " "
            + text(path)
            + ": "
            + TEXTS.getOrDefault(errno, "error")
            + " (errno "
            + errno
            + ")");
    this.call = call;
    this.errno = errno;
  }

  /** The failure of the call this thread made last. */
  static ErrnoException last(String call, byte[] path) {
    return new ErrnoException(call, path, Native.getLastError());
  }

  /** The C name of the function that failed. */
  public String call() {
    return call;
  }

  /** The error's number, as {@code errno(3)} has it on Linux. */
  public int errno() {
    return errno;
  }

  public boolean is(int number) {
    return errno == number;
  }

  private static String text(byte[] path) {
    int length = path.length;
    while (length > 0 && path[length - 1] == 0) {
      length--;
    }
    return new String(path, 0, length, StandardCharsets.UTF_8);
  }
}
