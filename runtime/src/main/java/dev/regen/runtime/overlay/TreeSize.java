package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** How much of the disk a tree takes. */
public final class TreeSize {
  private static final int BLOCK_BYTES = 512;
  private static final int LEVELS_MAX = 1000;

  private final Set<Long> linked = new HashSet<>();
  private long blocks;

  private TreeSize() {}

  /**
   * The bytes that would come free with {@code tree}: blocks, not lengths, and an inode with
   * several names in it once. Costs one look at each entry; keeps a number for each inode with
   * several names.
   *
   * @throws IOException if it cannot be read, or is more than 1,000 levels deep
   */
  public static long bytes(Path tree) throws IOException {
    TreeSize size = new TreeSize();
    try (Fd directory = Fd.directory(tree)) {
      size.add(directory, 0);
    }
    return size.blocks * BLOCK_BYTES;
  }

  private void add(Fd directory, int level) throws IOException {
    if (level > LEVELS_MAX) {
      throw new IOException("a tree of more than " + LEVELS_MAX + " levels");
    }
    List<Fd.Name> names = directory.list();
    for (Fd.Name name : names) {
      Stat stat = directory.statIfThere(name.bytes());
      if (stat == null) {
        continue;
      }
      boolean again = !stat.isDirectory() && stat.links() > 1 && !linked.add(stat.inode());
      blocks += again ? 0 : stat.blocks512();
      if (stat.isDirectory()) {
        try (Fd below = directory.openAt(name.bytes(), Fd.RDONLY | Fd.DIRECTORY | Fd.NOFOLLOW, 0)) {
          add(below, level + 1);
        }
      }
    }
  }
}
