package dev.regen.snapshot.layer;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The holes that an archive's entry index tells, read beside the archive itself. */
final class IndexedHoles implements HoleIndex {
  private final EntryIndex index;

  IndexedHoles(EntryIndex index) {
    this.index = index;
  }

  @Override
  public Holes of(TarMember member, long headerOffsetBytes) throws IOException {
    EntryIndex.@Nullable Entry entry = index.next();
    while (entry != null && entry.tarOffset() < headerOffsetBytes) {
      entry = index.next();
    }
    if (entry == null
        || entry.tarOffset() != headerOffsetBytes
        || entry.size() != member.sizeBytes()) {
      throw new RegenException.Damaged(
          "the entry index does not fit its archive at "
              + BadLayerException.shown(member.path())
              + "; run `regen verify --repair`");
    }
    return holes(entry.holes());
  }

  /** Holes without length vanish, and those that touch become one. */
  private static Holes holes(EntryIndex.Hole[] told) {
    if (told.length == 0) {
      return Holes.NONE;
    }
    long[] changes = new long[2 * told.length];
    int length = 0;
    for (EntryIndex.Hole hole : told) {
      if (hole.length() == 0) {
        continue;
      }
      if (length > 0 && changes[length - 1] == hole.offset()) {
        length--;
      } else {
        changes[length++] = hole.offset();
      }
      changes[length++] = hole.offset() + hole.length();
    }
    return new Holes(Arrays.copyOf(changes, length));
  }
}
