package dev.regen.runtime.os;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import org.jspecify.annotations.Nullable;

/** The C library, mapped directly: one method a function, with its C name. */
final class Libc {
  static {
    // It is loaded already; JNA would run ldconfig to find it.
    Native.register(Libc.class, com.sun.jna.NativeLibrary.getProcess());
  }

  private Libc() {}

  static native long syscall(long number, int fd, byte[] path, byte[] how, long size);

  static native int ioctl(int fd, long request, long argument);

  static native int ioctl(int fd, long request, Pointer argument);

  static native int openat(int dirfd, byte[] path, int flags, int mode);

  static native int close(int fd);

  static native int ioctl(int fd, long request, short[] argument);

  static native int statx(int dirfd, byte[] path, int flags, int mask, Pointer buffer);

  static native long getdents64(int fd, Pointer buffer, long size);

  static native int mkdirat(int dirfd, byte[] path, int mode);

  static native int mknodat(int dirfd, byte[] path, int mode, long device);

  static native int symlinkat(byte[] target, int dirfd, byte[] path);

  static native long readlinkat(int dirfd, byte[] path, byte[] buffer, long size);

  static native int linkat(int fromDir, byte[] from, int toDir, byte[] to, int flags);

  static native int unlinkat(int dirfd, byte[] path, int flags);

  static native int renameat2(int fromDir, byte[] from, int toDir, byte[] to, int flags);

  static native int fchownat(int dirfd, byte[] path, int uid, int gid, int flags);

  static native int fchown(int fd, int uid, int gid);

  static native int fchmod(int fd, int mode);

  static native int futimens(int fd, long[] times);

  static native int fchmodat(int dirfd, byte[] path, int mode, int flags);

  static native int utimensat(int dirfd, byte[] path, long[] times, int flags);

  static native long llistxattr(byte[] path, byte[] list, long size);

  static native long lgetxattr(byte[] path, byte[] name, byte[] value, long size);

  static native int lsetxattr(byte[] path, byte[] name, byte[] value, long size, int flags);

  static native long flistxattr(int fd, byte @Nullable [] list, long size);

  static native long fgetxattr(int fd, byte[] name, byte[] value, long size);

  static native int lremovexattr(byte[] path, byte[] name);

  static native long read(int fd, Pointer buffer, long count);

  static native long write(int fd, Pointer buffer, long count);

  static native long pwrite(int fd, Pointer buffer, long count, long offset);

  static native long lseek(int fd, long offset, int whence);

  static native int ftruncate(int fd, long length);

  static native int fallocate(int fd, int mode, long offset, long length);

  static native int fsync(int fd);

  static native int fdatasync(int fd);

  static native int syncfs(int fd);

  static native int sync_file_range(int fd, long offset, long count, int flags);

  static native int posix_fadvise(int fd, long offset, long length, int advice);

  static native int flock(int fd, int operation);

  static native int getpriority(int which, int who);

  static native int setpriority(int which, int who, int priority);

  static native int kill(int pid, int signal);

  static native int mount(byte[] source, byte[] target, byte[] type, long flags, byte[] data);

  static native int umount2(byte[] target, int flags);

  static native int unshare(int flags);

  static native int setns(int fd, int type);

  static native int chdir(byte[] path);

  static native int mkfifo(byte[] path, int mode);
}
