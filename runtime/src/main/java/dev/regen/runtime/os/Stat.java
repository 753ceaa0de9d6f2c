package dev.regen.runtime.os;

import com.sun.jna.Pointer;
import java.time.Instant;

/**
 * What {@code statx(2)} says of a file.
 *
 * @param mode type and permissions, {@code st_mode}
 * @param inode the inode's number
 * @param device the number of the file system it is on
 * @param links how many names it has
 * @param size in bytes; for a symbolic link the length of its target
 * @param blocks512 space used, in blocks of 512 bytes
 * @param rdev the device it stands for, meaningful for device nodes alone
 * @param mtime last change of content
 * @param ctime last change of the inode
 * @param mountId the mount it was reached through, 0 if the kernel does not say (before 5.8)
 */
public record Stat(
    int mode,
    long inode,
    long device,
    long links,
    int uid,
    int gid,
    long size,
    long blocks512,
    long rdev,
    Time mtime,
    Time ctime,
    long mountId) {

  public static final int TYPE_MASK = 0xF000;
  public static final int FIFO = 0x1000;
  public static final int CHARACTER_DEVICE = 0x2000;
  public static final int DIRECTORY = 0x4000;
  public static final int BLOCK_DEVICE = 0x6000;
  public static final int REGULAR = 0x8000;
  public static final int SYMLINK = 0xA000;
  public static final int SOCKET = 0xC000;

  static final int BUFFER_BYTES = 256;

  /** A point in time as the kernel keeps it; {@code seconds} may be negative. */
  public record Time(long seconds, int nanos) {
    public static Time of(Instant instant) {
      return new Time(instant.getEpochSecond(), instant.getNano());
    }

    public boolean isAfter(Time other) {
      return seconds != other.seconds ? seconds > other.seconds : nanos > other.nanos;
    }
  }

  /** Reads a {@code struct statx}; its layout is the same on every architecture. */
  static Stat of(Pointer p) {
    return new Stat(
        p.getShort(0x1C) & 0xFFFF,
        p.getLong(0x20),
        device(p.getInt(0x88), p.getInt(0x8C)),
        p.getInt(0x10) & 0xFFFFFFFFL,
        p.getInt(0x14),
        p.getInt(0x18),
        p.getLong(0x28),
        p.getLong(0x30),
        device(p.getInt(0x80), p.getInt(0x84)),
        time(p, 0x70),
        time(p, 0x60),
        p.getLong(0x90));
  }

  public int type() {
    return mode & TYPE_MASK;
  }

  /** Permissions with setuid, setgid and sticky, without the type. */
  public int permissions() {
    return mode & 0xFFF;
  }

  public boolean isDirectory() {
    return type() == DIRECTORY;
  }

  public boolean isRegular() {
    return type() == REGULAR;
  }

  public boolean isSymlink() {
    return type() == SYMLINK;
  }

  /** A device number from its parts, as {@code makedev(3)} makes it. */
  public static long device(int major, int minor) {
    long high = major & 0xFFFFFFFFL;
    long low = minor & 0xFFFFFFFFL;
    return ((high & 0xFFFFF000L) << 32)
        | ((high & 0xFFF) << 8)
        | ((low & 0xFFFFFF00L) << 12)
        | (low & 0xFF);
  }

  public static int major(long device) {
    return (int) (((device >>> 32) & 0xFFFFF000L) | ((device >>> 8) & 0xFFF));
  }

  public static int minor(long device) {
    return (int) (((device >>> 12) & 0xFFFFFF00L) | (device & 0xFF));
  }

  private static Time time(Pointer p, int offset) {
    return new Time(p.getLong(offset), p.getInt(offset + 8));
  }
}
