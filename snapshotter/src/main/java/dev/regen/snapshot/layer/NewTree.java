package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Path;

/** The directory that a tree is unpacked into. */
final class NewTree {
  private NewTree() {}

  /**
   * Asked first, so that what is there is never taken for one's own and removed.
   *
   * @throws RegenException.Refused if anything has that name
   */
  static void refuseIfThere(Path target) throws IOException {
    if (Fd.statIfThere(target) != null) {
      throw new RegenException.Refused(target + " is there already");
    }
  }

  /** Makes {@code target}, whose parent must exist, and opens it. */
  static Fd make(Path target, int permissions) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    if (parent == null || name == null) {
      throw new RegenException.Refused("the root directory is no target");
    }
    byte[] nameBytes = Fd.bytes(name.toString());
    try (Fd directory = Fd.directory(parent)) {
      directory.mkdirAt(nameBytes, permissions);
      return directory.openBeneath(nameBytes, Fd.RDONLY | Fd.DIRECTORY, 0);
    }
  }
}
