package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.util.Objects;
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
  private static final int LINK_BYTES_MAX = 4_095;

  /** What to do with a link whose file is not there. */
  interface Absent {
    void link(TarMember member) throws IOException;
  }

  /** Brings what is no directory in place in another way than making it, where it can. */
  interface Linking {
    /** For whoever has nothing to link. */
    Linking NONE = (parent, path, member) -> false;

    /** Whether {@code member} is in {@code parent} now, with all its attributes. */
    boolean link(Fd parent, MemberPath path, TarMember member) throws IOException;
  }

  private final Fd root;
  private final MemberAttributes attributes;
  private final Directories directories;
  private final Absent absent;

  /** {@code root} is an empty directory, and stays the caller's to close. */
  TreeBuilder(Fd root, HostIds ids) throws IOException {
    this.root = root;
    this.attributes = new MemberAttributes(ids, null);
    this.directories = new OpenDirectories(root, attributes);
    this.absent =
        member -> {
          throw HardLinks.absent(member);
        };
  }

  /** For a part of the tree; {@code root} and {@code directories} stay the caller's to close. */
  TreeBuilder(Fd root, MemberAttributes attributes, Directories directories, Absent absent) {
    this.root = root;
    this.attributes = attributes;
    this.directories = directories;
    this.absent = absent;
  }

  /**
   * Adds what {@code member} says, with its content from {@code tar}.
   *
   * @param holes of a file, null to find them
   */
  void add(TarMember member, TarReader tar, @Nullable Holes holes) throws IOException {
    add(member, tar, holes, Linking.NONE);
  }

  /**
   * Likewise, unless {@code linking} has it.
   *
   * @param tar null if {@code linking} has everything
   */
  void add(TarMember member, @Nullable TarReader tar, @Nullable Holes holes, Linking linking)
      throws IOException {
    try {
      MemberPath path = MemberPath.of(member.path());
      switch (path.kind()) {
        case ADDED -> addReal(path, member, tar, holes, linking);
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

  private void addReal(
      MemberPath path,
      TarMember member,
      @Nullable TarReader tar,
      @Nullable Holes holes,
      Linking linking)
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
    if (member.type() == TarMember.Type.HARD_LINK) {
      hardLink(parent, path.name(), member);
    } else if (!linking.link(parent, path, member)) {
      make(parent, path.name(), member, Objects.requireNonNull(tar, "nothing to write"), holes);
    }
  }

  private void make(Fd parent, byte[] name, TarMember member, TarReader tar, @Nullable Holes holes)
      throws IOException {
    switch (member.type()) {
      case FILE -> {
        file(parent, name, member, tar, holes);
        return; // it has its attributes already
      }
      case SYMLINK -> symlink(parent, name, member);
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> node(parent, name, member);
      case DIRECTORY, HARD_LINK -> throw new IllegalStateException("was added before");
    }
    attributes.apply(parent, name, member);
  }

  private void checkAttributes(TarMember member) throws BadLayerException {
    try {
      attributes.check(member);
    } catch (BadLayerException e) {
      throw new BadLayerException(member.path(), String.valueOf(e.getMessage()));
    }
  }

  private void file(Fd parent, byte[] name, TarMember member, TarReader tar, @Nullable Holes holes)
      throws IOException {
    int permissions = attributes.creationMode(member);
    try (Fd file = parent.openAt(name, NEW_FILE, permissions)) {
      SparseFile.write(tar, member, holes, file);
      attributes.applyToFile(file, parent, name, member, permissions);
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
    if (!HardLinks.makeIfThere(root, parent, name, member)) {
      absent.link(member);
    }
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
