package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/** An empty directory that can stand in for another: same owner, mode and extended attributes. */
public final class EmptyTwin {
  private static final byte[] SELF = {'.'};

  private EmptyTwin() {}

  /**
   * Makes {@code twin}, which must not exist, like the directory {@code of}, overlay's own marks
   * included; forces nothing.
   */
  public static void make(Path of, Path twin) throws IOException {
    Path parent = Objects.requireNonNull(twin.getParent(), "twin without parent");
    byte[] name = Fd.bytes(twin.getFileName());
    try (Fd original = Fd.directory(of);
        Fd directory = Fd.directory(parent)) {
      directory.mkdirAt(name, 0700);
      try (Fd made = directory.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        copyAttributes(original, made);
      }
    }
  }

  /** Gives the directory {@code to} the owner, mode, attributes and time of {@code from}. */
  static void copyAttributes(Fd from, Fd to) throws IOException {
    Stat stat = from.stat();
    to.chownAt(SELF, stat.uid(), stat.gid());
    for (byte[] attribute : from.xattrNamesAt(SELF)) {
      byte[] value = from.xattrAt(SELF, attribute);
      if (value != null) {
        to.setXattrAt(SELF, attribute, value);
      }
    }
    to.chmodAt(SELF, stat.permissions());
    to.touchAt(SELF, stat.mtime());
  }
}
