package dev.regen.snapshot.layer;

import dev.regen.snapshot.chunk.Names;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts the entries of a walk into groups, in order. */
final class Grouping {
  private final TreeWalk walk;
  private @Nullable TreeEntry ahead;

  Grouping(TreeWalk walk) throws IOException {
    this.walk = walk;
    this.ahead = walk.next();
  }

  /** The next group, or null after the last. */
  @Nullable Group next() throws IOException {
    TreeEntry entry = ahead;
    if (entry == null) {
      return null;
    }
    List<TreeEntry> entries = new ArrayList<>();
    long tarBytes = 0;
    do {
      entries.add(entry);
      tarBytes += entry.tarBytesAbout();
      boolean alone = entry.isLarge();
      entry = walk.next();
      if (alone) {
        break;
      }
    } while (entry != null
        && !entry.isLarge()
        && !Names.beginsGroup(entry.path(), tarBytes, entry.tarBytesAbout()));
    ahead = entry;
    return new Group(entries);
  }
}
