package dev.regen.runtime.os;

/** Signals to processes. */
public final class Signals {
  public static final int KILL = 9;

  private Signals() {}

  /** Sends {@code signal} (0 only asks); false if there is no such process. */
  public static boolean send(int pid, int signal) throws ErrnoException {
    if (Libc.kill(pid, signal) == 0) {
      return true;
    }
    if (com.sun.jna.Native.getLastError() == ErrnoException.ESRCH) {
      return false;
    }
    throw ErrnoException.last("kill", Fd.bytes(Integer.toString(pid)));
  }
}
