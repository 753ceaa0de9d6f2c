package dev.regen.runtime.os;

import java.nio.file.Path;

/** Named pipes. */
public final class Fifo {
  private Fifo() {}

  /** Makes a named pipe; {@code mode} is its permissions, less the umask. */
  public static void make(Path path, int mode) throws ErrnoException {
    byte[] at = Fd.bytes(path);
    if (Libc.mkfifo(Fd.nul(at), mode) != 0) {
      throw ErrnoException.last("mkfifo", at);
    }
  }
}
