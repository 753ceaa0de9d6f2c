package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import java.io.IOException;

/** Makes the further names of files of a tree; only of files that are in it. */
final class HardLinks {
  private HardLinks() {}

  /**
   * Gives the file that {@code member} names {@code name} in {@code parent}, a directory of the
   * tree {@code root}.
   *
   * @throws BadLayerException if it may not be linked, or is not there
   */
  static void make(Fd root, Fd parent, byte[] name, TarMember member) throws IOException {
    if (!makeIfThere(root, parent, name, member)) {
      throw absent(member);
    }
  }

  /**
   * Likewise, but false if the file is not there; nothing is changed then.
   *
   * @throws BadLayerException if it may not be linked
   */
  static boolean makeIfThere(Fd root, Fd parent, byte[] name, TarMember member) throws IOException {
    MemberPath target = MemberPath.of(member.linkTarget());
    if (target.kind() != MemberPath.Kind.ADDED || target.isRoot()) {
      throw bad(member, "no file");
    }
    try (Fd directory = Beneath.open(root, target.parents(), Fd.PATH | Fd.DIRECTORY)) {
      Stat there = directory.statIfThere(target.name());
      if (there == null) {
        return false;
      }
      if (there.isDirectory() || Whiteouts.isDevice(there)) {
        throw bad(member, "no file");
      }
      parent.linkAt(directory, target.name(), name);
      return true;
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.ENOENT) || e.is(ErrnoException.ENOTDIR)) {
        return false;
      }
      if (e.is(ErrnoException.ELOOP) || e.is(ErrnoException.EXDEV)) {
        throw bad(member, "behind a symbolic link");
      }
      throw e;
    }
  }

  /** For a link whose file is not there. */
  static BadLayerException absent(TarMember member) {
    return bad(member, "not in the layer before it");
  }

  private static BadLayerException bad(TarMember member, String what) {
    return new BadLayerException(
        member.path(),
        "is a hard link to " + BadLayerException.shown(member.linkTarget()) + ", which is " + what);
  }
}
