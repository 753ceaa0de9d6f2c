package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The names in a tree of files that have several. Those that a restore leaves behind when it moves
 * a file out of the tree have to go before anybody looks at that file: its number of names, and the
 * time of its last change, tell whether it is known.
 */
final class FurtherNames {
  /** About 200 bytes of memory each; of a tree with more, all that is left goes. */
  private static final int MAX = 10_000;

  private final List<byte[]> paths = new ArrayList<>();

  void add(Group group) {
    for (TreeEntry entry : group.entries()) {
      boolean several = !entry.stat().isDirectory() && entry.stat().links() > 1;
      if (several && paths.size() <= MAX) {
        paths.add(entry.path());
      }
    }
  }

  /**
   * Removes those that are still there.
   *
   * @param tree nobody needs it any more
   * @param root the same, open
   */
  void remove(Path tree, Fd root) throws IOException {
    if (paths.size() > MAX) {
      TreeRemoval.remove(tree);
      return;
    }
    for (byte[] path : paths) {
      remove(root, path);
    }
  }

  private static void remove(Fd root, byte[] path) throws IOException {
    List<byte[]> parents = names(Paths.parent(path));
    try (Fd directory = Beneath.open(root, parents, Fd.RDONLY | Fd.DIRECTORY)) {
      directory.unlinkAt(Paths.name(path));
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.ENOENT)) {
        throw e;
      }
      // It was moved, or the directory around it.
    }
  }

  private static List<byte[]> names(byte[] path) {
    List<byte[]> names = new ArrayList<>();
    int from = 0;
    for (int at = 0; at <= path.length; at++) {
      if (at == path.length || path[at] == '/') {
        if (at > from) {
          names.add(Arrays.copyOfRange(path, from, at));
        }
        from = at + 1;
      }
    }
    return names;
  }
}
