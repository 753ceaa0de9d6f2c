package dev.regen.snapshot.layer;

import dev.regen.snapshot.chunk.Cutting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Puts the entries of a walk into groups, in order. */
final class Grouping {
  private final TreeWalk walk;
  private final Cutting cutting;
  private @Nullable TreeEntry ahead;

  Grouping(TreeWalk walk, Cutting cutting) throws IOException {
    this.walk = walk;
    this.cutting = cutting;
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
        && !cutting.beginsGroup(entry.path(), tarBytes, entry.tarBytesAbout()));
    ahead = entry;
    return new Group(entries);
  }
}
