package dev.regen.runtime.os;

import dev.regen.runtime.Threads;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Mounting and unmounting in the calling process's mount namespace. */
public final class Mount {
  public static final long READ_ONLY = 1;
  public static final long NO_SUID = 2;
  public static final long NO_DEV = 4;
  public static final long NO_EXEC = 8;
  public static final long REMOUNT = 32;
  public static final long NO_ATIME = 1024;
  public static final long NO_DIR_ATIME = 2048;
  public static final long BIND = 4096;
  public static final long REL_ATIME = 1 << 21;
  public static final long STRICT_ATIME = 1 << 24;

  private static final int MNT_DETACH = 2;
  private static final int UMOUNT_NOFOLLOW = 8;
  private static final int CLONE_FS = 0x200;

  private Mount() {}

  /**
   * Mounts, with relative paths in {@code data} taken from {@code base}.
   *
   * <p>Runs on a thread of its own with a working directory of its own, so that no other thread of
   * the process is moved.
   *
   * @param data the file system's options, at most 4095 bytes
   */
  public static void mountFrom(
      Path base, String source, Path target, String type, long flags, byte[] data)
      throws ErrnoException {
    AtomicReference<ErrnoException> failure = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .name("mount")
            .start(() -> {
              try {
                check("unshare", Fd.bytes("fs"), Libc.unshare(CLONE_FS));
                check("chdir", Fd.bytes(base), Libc.chdir(Fd.nul(Fd.bytes(base))));
                mount(source, target, type, flags, data);
              } catch (ErrnoException e) {
                failure.set(e);
              }
            });
    Threads.awaitEnd(List.of(thread));
    ErrnoException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
  }

  /** {@code mount(2)}, all paths absolute. */
  public static void mount(String source, Path target, String type, long flags, byte[] data)
      throws ErrnoException {
    byte[] at = Fd.bytes(target);
    int result =
        Libc.mount(
            Fd.nul(Fd.bytes(source)), Fd.nul(at), Fd.nul(Fd.bytes(type)), flags, Fd.nul(data));
    check("mount", at, result);
  }

  /** Takes a mount out of the tree at once; it ends when nobody uses it any more. */
  public static void detach(Path target) throws ErrnoException {
    byte[] at = Fd.bytes(target);
    check("umount2", at, Libc.umount2(Fd.nul(at), MNT_DETACH | UMOUNT_NOFOLLOW));
  }

  private static void check(String call, byte[] path, int result) throws ErrnoException {
    if (result != 0) {
      throw ErrnoException.last(call, path);
    }
  }
}
