package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a layer tree in overlay form from the members of a layer, one after the other.
 *
 * <p>Nothing outside the root directory is touched, whatever the members say. A name may come once,
 * only directories may come again. After an exception the tree is half made.
 */
final class TreeBuilder implements AutoCloseable {
  private static final byte[] HERE = Fd.bytes(".");
  private static final byte[] OPAQUE = Fd.bytes("trusted.overlay.opaque");
  private static final byte[] YES = Fd.bytes("y");
  private static final int NEW_FILE = Fd.WRONLY | Fd.CREAT | Fd.EXCL;
  private static final int WHILE_OPEN = 0600;
  private static final int PATH_BYTES_AT_ONCE = 3_000;
  private static final int LINK_BYTES_MAX = 4_095;

  private final Fd root;
  private final MemberAttributes attributes;
  private final OpenDirectories directories;

  /** {@code root} is an empty directory, and stays the caller's to close. */
  TreeBuilder(Fd root, HostIds ids) throws IOException {
    this.root = root;
    this.attributes = new MemberAttributes(ids);
    this.directories = new OpenDirectories(root, attributes);
  }

  /**
   * Adds what {@code member} says, with its content from {@code tar}.
   *
   * @param holes of a file, null to find them
   */
  void add(TarMember member, TarReader tar, @Nullable Holes holes) throws IOException {
    try {
      MemberPath path = MemberPath.of(member.path());
      switch (path.kind()) {
        case ADDED -> addReal(path, member, tar, holes);
        case DELETED -> whiteout(path, member);
        case OPAQUE -> opaque(path, member);
      }
    } catch (ErrnoException e) {
      throw explained(member, e);
    }
  }

  /** Gives the directories their attributes; the tree is then whole. */
  void finish() throws IOException {
    directories.finish();
  }

  @Override
  public void close() {
    directories.close();
  }

  private void addReal(MemberPath path, TarMember member, TarReader tar, @Nullable Holes holes)
      throws IOException {
    checkAttributes(member);
    if (member.type() == TarMember.Type.DIRECTORY) {
      directories.add(path, member);
      return;
    }
    if (path.isRoot()) {
      throw new BadLayerException(member.path(), "the root of the layer is no directory");
    }
    Fd parent = directories.at(path.parents(), member);
    switch (member.type()) {
      case FILE -> file(parent, path.name(), member, tar, holes);
      case HARD_LINK -> {
        hardLink(parent, path.name(), member);
        return; // the file has its attributes already
      }
      case SYMLINK -> symlink(parent, path.name(), member);
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> node(parent, path.name(), member);
      case DIRECTORY -> throw new IllegalStateException("was added before");
    }
    attributes.apply(parent, path.name(), member);
  }

  private void checkAttributes(TarMember member) throws BadLayerException {
    try {
      attributes.check(member);
    } catch (BadLayerException e) {
      throw new BadLayerException(member.path(), String.valueOf(e.getMessage()));
    }
  }

  private static void file(
      Fd parent, byte[] name, TarMember member, TarReader tar, @Nullable Holes holes)
      throws IOException {
    try (Fd file = parent.openAt(name, NEW_FILE, WHILE_OPEN)) {
      SparseFile.write(tar, member, holes, file);
    }
  }

  private static void symlink(Fd parent, byte[] name, TarMember member) throws IOException {
    byte[] target = member.linkTarget();
    if (target.length == 0 || target.length > LINK_BYTES_MAX || holdsNul(target)) {
      throw new BadLayerException(
          member.path(), "is a symbolic link whose target is empty, too long or holds a zero byte");
    }
    parent.symlinkAt(target, name);
  }

  private static void node(Fd parent, byte[] name, TarMember member) throws IOException {
    if (member.type() == TarMember.Type.CHARACTER_DEVICE && member.device() == 0) {
      throw new BadLayerException(
          member.path(), "is the device 0/0, which overlay would take for a deletion");
    }
    parent.mknodAt(name, member.type().mode() | WHILE_OPEN, member.device());
  }

  private void hardLink(Fd parent, byte[] name, TarMember member) throws IOException {
    MemberPath target = MemberPath.of(member.linkTarget());
    if (target.kind() != MemberPath.Kind.ADDED || target.isRoot()) {
      throw badLink(member, "no file");
    }
    try (Fd directory = existing(target.parents())) {
      Stat there = directory.statIfThere(target.name());
      if (there == null) {
        throw badLink(member, "not in the layer before it");
      }
      if (there.isDirectory() || Whiteouts.isDevice(there)) {
        throw badLink(member, "no file");
      }
      parent.linkAt(directory, target.name(), name);
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.ENOENT) || e.is(ErrnoException.ENOTDIR)) {
        throw badLink(member, "not in the layer before it");
      }
      if (e.is(ErrnoException.ELOOP) || e.is(ErrnoException.EXDEV)) {
        throw badLink(member, "behind a symbolic link");
      }
      throw e;
    }
  }

  /** Opens a directory beneath the root by as many names at once as one call may have. */
  private Fd existing(List<byte[]> names) throws IOException {
    Fd at = root.openBeneath(HERE, Fd.PATH | Fd.DIRECTORY, 0);
    int next = 0;
    while (next < names.size()) {
      java.io.ByteArrayOutputStream path = new java.io.ByteArrayOutputStream();
      do {
        path.writeBytes(names.get(next));
        path.write('/');
        next++;
      } while (next < names.size() && path.size() < PATH_BYTES_AT_ONCE);
      try (Fd above = at) {
        at = above.openBeneath(path.toByteArray(), Fd.PATH | Fd.DIRECTORY, 0);
      }
    }
    return at;
  }

  private static BadLayerException badLink(TarMember member, String what) {
    return new BadLayerException(
        member.path(),
        "is a hard link to " + BadLayerException.shown(member.linkTarget()) + ", which is " + what);
  }

  private void whiteout(MemberPath path, TarMember member) throws IOException {
    checkMarker(member);
    Fd parent = directories.at(path.parents(), member);
    parent.mknodAt(path.name(), Stat.CHARACTER_DEVICE, 0);
    // Of the marker's own attributes overlay keeps nothing but, harmlessly, its time.
    parent.touchAt(path.name(), member.mtime());
  }

  private void opaque(MemberPath path, TarMember member) throws IOException {
    checkMarker(member);
    if (path.parents().isEmpty()) {
      throw new BadLayerException(
          member.path(), "hides all of the layers below from their root, which overlay cannot");
    }
    directories.at(path.parents(), member).setXattrAt(HERE, OPAQUE, YES);
  }

  private static void checkMarker(TarMember member) throws BadLayerException {
    if (member.type() != TarMember.Type.FILE || member.sizeBytes() != 0) {
      throw new BadLayerException(member.path(), "is a whiteout, and no empty file");
    }
  }

  private static boolean holdsNul(byte[] text) {
    for (byte b : text) {
      if (b == 0) {
        return true;
      }
    }
    return false;
  }

  private static IOException explained(TarMember member, ErrnoException e) {
    return switch (e.errno()) {
      case ErrnoException.EEXIST ->
          new BadLayerException(member.path(), "is in the layer twice, in ways that contradict");
      case ErrnoException.ELOOP, ErrnoException.ENOTDIR, ErrnoException.EXDEV ->
          new BadLayerException(member.path(), "its path leads through something no directory");
      default -> new IOException(BadLayerException.shown(member.path()) + ": " + e.getMessage(), e);
    };
  }
}
