package dev.regen.snapshot.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds out which groups the directories of a tree reach over, from its groups in order. */
final class Subtrees {
  /** About 200 bytes of memory each. */
  static final int MAX = 100_000;

  /** A directory that the walk is in. */
  private static final class Open {
    private final byte[] path;
    private final int number;
    private final int firstGroup;
    private long entries;
    private boolean fixed;

    private Open(byte[] path, int number, int firstGroup) {
      this.path = path;
      this.number = number;
      this.firstGroup = firstGroup;
    }
  }

  private static final int NONE = -1;

  private final TreeSet<byte[]> hidden = new TreeSet<>(Paths::compare);
  private final List<PresentTree.@Nullable Subtree> all = new ArrayList<>();
  private final List<Open> open = new ArrayList<>();
  private byte @Nullable [] hiddenLast;
  private int lastGroup;

  /** What the walk passes over is in no group, and would move all the same. */
  Subtrees(ArchiveRequest request) {
    hidden.addAll(new Paths(request.placeholders()).all());
    hidden.addAll(new Paths(request.excludes()).all());
  }

  /** What else the walk passes over; told before the group after it is added. */
  void hide(byte[] path) {
    if (hiddenLast == null || !Arrays.equals(Paths.parent(hiddenLast), Paths.parent(path))) {
      hidden.add(path);
      hiddenLast = path;
    }
  }

  void add(Group group, int number) {
    for (TreeEntry entry : group.entries()) {
      add(entry, number);
    }
  }

  /** In the order of the walk. */
  List<PresentTree.Subtree> finished() {
    while (!open.isEmpty()) {
      leave();
    }
    List<PresentTree.Subtree> finished = new ArrayList<>();
    for (PresentTree.Subtree subtree : all) {
      if (subtree != null) {
        finished.add(subtree);
      }
    }
    return finished;
  }

  private void add(TreeEntry entry, int group) {
    while (!open.isEmpty() && !isIn(entry, open.getLast())) {
      leave();
    }
    lastGroup = group;
    if (entry.type() == EntryIndex.Type.DIRECTORY) {
      open.add(new Open(entry.path(), all.size() < MAX ? all.size() : NONE, group));
      if (all.size() < MAX) {
        all.add(null);
      }
    }
    if (!open.isEmpty()) {
      open.getLast().entries++;
      open.getLast().fixed |= isFixed(entry);
    }
  }

  private static boolean isIn(TreeEntry entry, Open directory) {
    return entry.type() == EntryIndex.Type.OPAQUE || Paths.isBelow(entry.path(), directory.path);
  }

  /** A file may have a name elsewhere; a whiteout has an owner and times that mean nothing. */
  private static boolean isFixed(TreeEntry entry) {
    return switch (entry.type()) {
      case DIRECTORY, OPAQUE -> false;
      case HARD_LINK, WHITEOUT -> true;
      case FILE, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> entry.stat().links() > 1;
    };
  }

  private boolean hides(byte[] directory) {
    byte[] next = hidden.higher(directory);
    return next != null && Paths.isBelow(next, directory);
  }

  private void leave() {
    Open left = open.removeLast();
    if (left.number != NONE && !hides(left.path)) {
      all.set(
          left.number,
          new PresentTree.Subtree(
              left.path, left.firstGroup, lastGroup, left.entries, !left.fixed));
    }
    if (!open.isEmpty()) {
      open.getLast().entries += left.entries;
      open.getLast().fixed |= left.fixed;
    }
  }
}
