package dev.regen.snapshot.diff;

import dev.regen.snapshot.diff.Change.What;
import dev.regen.snapshot.layer.EntryIndex;
import dev.regen.snapshot.layer.FileBytes;
import dev.regen.snapshot.layer.LayerItem;
import dev.regen.snapshot.layer.Xattr;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What of two items of one path is another. Reads contents where the index cannot tell: two files
 * of one size that are not in the same chunks, whatever their times say.
 */
final class Comparison {
  private static final int REMEMBERED_MAX = 50_000;
  private static final Set<What> OF_THE_FILE =
      EnumSet.of(What.TYPE, What.CONTENT, What.TARGET, What.DEVICE, What.XATTRS);

  private final Instant since;

  /** Files that differ, so that their further names need no second look. */
  private final Map<ByteBuffer, Set<What>> differing = new HashMap<>();

  private boolean remembersAll = true;

  /**
   * @param since a file on disk whose facts are those of the other side, and whose change time is
   *     before this, is taken for the same
   */
  Comparison(Instant since) {
    this.since = since;
  }

  /**
   * Empty if they are the same.
   *
   * @param timesTell whether both are of the layers compared, not of the image
   */
  Set<What> of(LayerItem a, LayerItem b, boolean timesTell) throws IOException {
    EntryIndex.Entry left = a.entry();
    EntryIndex.Entry right = b.entry();
    Set<What> what = EnumSet.noneOf(What.class);
    if (a.isStoredAs(b) && left.type() != EntryIndex.Type.HARD_LINK) {
      return what;
    }
    addFacts(left, right, what);
    if (isSameLink(left, right) && remembersAll) {
      what.addAll(differing.getOrDefault(ByteBuffer.wrap(left.target()), Set.of()));
    } else {
      boolean old = timesTell && (a.isOlderThan(since) || b.isOlderThan(since));
      addFile(a.resolved(), b.resolved(), old, what);
      remember(left.path(), what);
    }
    return what.contains(What.TYPE) ? EnumSet.of(What.TYPE) : what;
  }

  private static boolean isSameLink(EntryIndex.Entry left, EntryIndex.Entry right) {
    return left.type() == EntryIndex.Type.HARD_LINK
        && right.type() == EntryIndex.Type.HARD_LINK
        && java.util.Arrays.equals(left.target(), right.target());
  }

  private static void addFacts(EntryIndex.Entry left, EntryIndex.Entry right, Set<What> what) {
    if (left.mode() != right.mode()) {
      what.add(What.MODE);
    }
    if (left.uid() != right.uid() || left.gid() != right.gid()) {
      what.add(What.OWNER);
    }
    if (!left.mtime().equals(right.mtime())) {
      what.add(What.TIME);
    }
  }

  private static void addFile(LayerItem a, LayerItem b, boolean old, Set<What> what)
      throws IOException {
    EntryIndex.Entry left = a.entry();
    EntryIndex.Entry right = b.entry();
    if (left.type() != right.type()) {
      what.add(What.TYPE);
      return;
    }
    boolean untouched = old && what.isEmpty() && left.size() == right.size();
    switch (left.type()) {
      case FILE -> {
        if (!untouched && (left.size() != right.size() || !sameContent(a, b))) {
          what.add(What.CONTENT);
        }
      }
      case SYMLINK -> {
        if (!java.util.Arrays.equals(left.target(), right.target())) {
          what.add(What.TARGET);
        }
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE -> {
        if (left.rdev() != right.rdev()) {
          what.add(What.DEVICE);
        }
      }
      case DIRECTORY, FIFO, HARD_LINK, WHITEOUT, OPAQUE -> {
        // Has nothing but attributes.
      }
    }
    if (!untouched && !sameXattrs(a, b)) {
      what.add(What.XATTRS);
    }
  }

  private static boolean sameContent(LayerItem a, LayerItem b) throws IOException {
    try (FileBytes left = a.content();
        FileBytes right = b.content()) {
      return FileBytes.same(left, right);
    }
  }

  private static boolean sameXattrs(LayerItem a, LayerItem b) throws IOException {
    if (!a.mayHaveXattrs() && !b.mayHaveXattrs()) {
      return true;
    }
    List<Xattr> left = a.xattrs();
    List<Xattr> right = b.xattrs();
    if (left.size() != right.size()) {
      return false;
    }
    for (int i = 0; i < left.size(); i++) {
      if (!left.get(i).isSame(right.get(i))) {
        return false;
      }
    }
    return true;
  }

  private void remember(byte[] path, Set<What> what) {
    Set<What> ofTheFile = EnumSet.copyOf(what);
    ofTheFile.retainAll(OF_THE_FILE);
    if (ofTheFile.isEmpty()) {
      return;
    }
    if (differing.size() == REMEMBERED_MAX) {
      remembersAll = false;
      differing.clear();
    }
    if (remembersAll) {
      differing.put(ByteBuffer.wrap(path), ofTheFile);
    }
  }
}
