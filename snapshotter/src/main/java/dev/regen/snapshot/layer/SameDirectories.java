package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the directories of a present tree that an archive has just as they are, with everything
 * below them: a restore moves such a directory in one step. The topmost only.
 */
public final class SameDirectories {
  /** Below this a directory's entries are as well linked one by one. */
  private static final int ENTRIES_MIN = 4;

  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY;

  /** What one system call takes; those deeper are linked. */
  private static final int PATH_BYTES_MAX = 4000;

  /** None. */
  static final SameDirectories NONE = new SameDirectories(List.of());

  private final List<byte[]> topmost;
  private final TreeSet<byte[]> sorted = new TreeSet<>(Paths::compare);

  private SameDirectories(List<byte[]> topmost) {
    this.topmost = topmost;
    this.sorted.addAll(topmost);
  }

  /** In the order of a walk. */
  List<byte[]> paths() {
    return topmost;
  }

  /** Whether an entry of the archive is one of the directories, or below one. */
  boolean hold(byte[] path) {
    byte[] above = sorted.floor(path);
    return above != null && (Arrays.equals(above, path) || Paths.isBelow(path, above));
  }

  /**
   * Takes them out of the present tree into a new one, whose directories around them are there and
   * keep their times.
   */
  void take(Fd present, Fd root, TakeOver.Way way) throws IOException {
    for (int at = 0; at < topmost.size(); ) {
      byte[] parent = Paths.parent(topmost.get(at));
      List<byte[]> parents = MemberPath.of(topmost.get(at)).parents();
      try (Fd from = Beneath.open(present, parents, DIRECTORY);
          Fd to = Beneath.open(root, parents, DIRECTORY)) {
        Stat.Time time = to.stat().mtime();
        do {
          way.take(from, Paths.name(topmost.get(at++)), to);
        } while (at < topmost.size() && Arrays.equals(Paths.parent(topmost.get(at)), parent));
        to.touch(time);
      }
    }
  }

  /** Reads the entry index of {@code archive}; no file, and no chunk of it. */
  static SameDirectories find(ChunkReader reader, Archive archive, PresentTree present)
      throws IOException {
    if (present.subtrees().isEmpty()) {
      return NONE;
    }
    Map<List<Chunk>, Integer> numbers = new HashMap<>();
    NavigableSet<byte[]> linked = new TreeSet<>(Paths::compare);
    List<byte[]> firstPaths = new ArrayList<>();
    Parts parts = new Parts(archive, EntryIndex.open(reader, archive));
    for (Part part = parts.next(); part != null; part = parts.next()) {
      List<Chunk> chunks = archive.chunks().subList(part.firstChunk(), part.untilChunk());
      if (present.groups().contains(chunks)) {
        numbers.put(List.copyOf(chunks), part.number());
      }
      for (EntryIndex.Entry entry : part.entries()) {
        if (entry.type() == EntryIndex.Type.HARD_LINK) {
          linked.add(entry.target());
        }
      }
      firstPaths.add(part.entries().isEmpty() ? EntryIndex.NO_BYTES : firstPath(part));
    }
    List<byte[]> found = new ArrayList<>();
    for (PresentTree.Subtree subtree : present.subtrees()) {
      boolean inAnother = !found.isEmpty() && Paths.isBelow(subtree.path(), found.getLast());
      if (!inAnother
          && !holdsOneOf(linked, subtree.path())
          && isSame(subtree, present.inOrder(), numbers, firstPaths)) {
        found.add(subtree.path());
      }
    }
    return new SameDirectories(found);
  }

  /** A file that gets a further name elsewhere has to be in the new tree before that. */
  private static boolean holdsOneOf(NavigableSet<byte[]> linked, byte[] directory) {
    byte[] next = linked.higher(directory);
    return next != null && Paths.isBelow(next, directory);
  }

  private static byte[] firstPath(Part part) {
    return part.entries().getFirst().path();
  }

  /**
   * The archive has the groups that the directory reaches over, one after the other, and nothing of
   * the directory after them; what it has before them comes before the directory itself.
   */
  private static boolean isSame(
      PresentTree.Subtree subtree,
      List<@Nullable List<Chunk>> groups,
      Map<List<Chunk>, Integer> numbers,
      List<byte[]> firstPaths) {
    if (subtree.path().length == 0
        || subtree.path().length > PATH_BYTES_MAX
        || !subtree.isMovable()
        || subtree.entries() < ENTRIES_MIN) {
      return false;
    }
    int before = -1;
    for (int group = subtree.firstGroup(); group <= subtree.lastGroup(); group++) {
      List<Chunk> chunks = groups.get(group);
      Integer number = chunks == null ? null : numbers.get(chunks);
      if (number == null || (before >= 0 && number != before + 1)) {
        return false;
      }
      before = number;
    }
    return before + 1 == firstPaths.size()
        || !Paths.isBelow(firstPaths.get(before + 1), subtree.path());
  }
}
