package dev.regen.runtime.os;

/** The terminal that a person looks at. */
public final class Terminal {
  private static final int STDOUT = 1;
  private static final long TIOCGWINSZ = 0x5413;

  private Terminal() {}

  /** How many columns standard output has; 0 where it is no terminal, or one that does not say. */
  public static int columns() {
    short[] rowsAndColumns = new short[4];
    return Libc.ioctl(STDOUT, TIOCGWINSZ, rowsAndColumns) == 0 ? rowsAndColumns[1] & 0xFFFF : 0;
  }
}
