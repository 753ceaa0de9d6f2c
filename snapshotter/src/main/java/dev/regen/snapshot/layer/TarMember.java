package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.util.List;

/**
 * The header of one member of a tar stream, all formats made equal. Its arrays are not to be
 * changed.
 */
final class TarMember {
  /** What a member is; {@code mode} is the type's part of {@code st_mode}. */
  enum Type {
    FILE(Stat.REGULAR),
    HARD_LINK(0),
    SYMLINK(Stat.SYMLINK),
    CHARACTER_DEVICE(Stat.CHARACTER_DEVICE),
    BLOCK_DEVICE(Stat.BLOCK_DEVICE),
    DIRECTORY(Stat.DIRECTORY),
    FIFO(Stat.FIFO);

    private final int mode;

    Type(int mode) {
      this.mode = mode;
    }

    int mode() {
      return mode;
    }
  }

  /** Who owns a member and what may be done with it; ids as the archive has them. */
  record Owner(long uid, long gid, int permissions) {}

  private final byte[] path;
  private final Type type;
  private final byte[] linkTarget;
  private final Owner owner;
  private final long sizeBytes;
  private final Stat.Time mtime;
  private final long device;
  private final List<Xattr> xattrs;

  TarMember(
      byte[] path,
      Type type,
      byte[] linkTarget,
      Owner owner,
      long sizeBytes,
      Stat.Time mtime,
      long device,
      List<Xattr> xattrs) {
    this.path = path;
    this.type = type;
    this.linkTarget = linkTarget;
    this.owner = owner;
    this.sizeBytes = sizeBytes;
    this.mtime = mtime;
    this.device = device;
    this.xattrs = List.copyOf(xattrs);
  }

  /** As it stands in the archive, not looked at yet. */
  byte[] path() {
    return path;
  }

  Type type() {
    return type;
  }

  /** Of a symbolic link what it says, of a hard link the path of another member. */
  byte[] linkTarget() {
    return linkTarget;
  }

  Owner owner() {
    return owner;
  }

  /** Of the content that follows; 0 for all but files. */
  long sizeBytes() {
    return sizeBytes;
  }

  Stat.Time mtime() {
    return mtime;
  }

  /** As {@link Stat#rdev}, 0 for all but devices. */
  long device() {
    return device;
  }

  List<Xattr> xattrs() {
    return xattrs;
  }
}
