package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * What no part of an archive can do by itself: links to what another part makes, and the attributes
 * of directories that go on from one part to the next. For one thread at a time.
 *
 * <p>Holds the directories on one path from the root; a directory gets its attributes as soon as a
 * part begins elsewhere.
 */
final class Seams {
  private static final byte[] HERE = Fd.bytes(".");
  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY;

  /**
   * What a part leaves.
   *
   * @param first the names of the directory that its first entry is, or lies in
   * @param directories that may go on, topmost first
   * @param links whose file was not there yet
   */
  record Left(
      List<byte[]> first, List<PartDirectories.Unfinished> directories, List<TarMember> links) {}

  private final Fd root;
  private final MemberAttributes attributes;
  private final Deque<PartDirectories.Unfinished> open = new ArrayDeque<>();

  /** {@code root} stays the caller's to close. */
  Seams(Fd root, MemberAttributes attributes) {
    this.root = root;
    this.attributes = attributes;
  }

  /** Goes on to the next part in the archive's order, which is unpacked like all before it. */
  void pass(Left left) throws IOException {
    while (!open.isEmpty() && !begins(left.first, open.getLast().names())) {
      finish(open.removeLast());
    }
    for (TarMember link : left.links) {
      link(link);
    }
    open.addAll(left.directories);
  }

  /** After the last part: the tree is whole then. */
  void finish() throws IOException {
    while (!open.isEmpty()) {
      finish(open.removeLast());
    }
  }

  private void finish(PartDirectories.Unfinished directory) throws IOException {
    try (Fd fd = Beneath.open(root, directory.names(), DIRECTORY)) {
      attributes.applyToDirectory(fd, directory.member(), false);
    }
  }

  /** The directory may have its times already, and keeps them. */
  private void link(TarMember member) throws IOException {
    MemberPath path = MemberPath.of(member.path());
    try (Fd directory = Beneath.open(root, path.parents(), DIRECTORY)) {
      Stat before = directory.stat();
      HardLinks.make(root, directory, path.name(), member);
      directory.touchAt(HERE, before.mtime());
    }
  }

  private static boolean begins(List<byte[]> names, List<byte[]> with) {
    if (names.size() < with.size()) {
      return false;
    }
    for (int i = 0; i < with.size(); i++) {
      if (!Arrays.equals(names.get(i), with.get(i))) {
        return false;
      }
    }
    return true;
  }
}
