package dev.regen.snapshot.diff;

import dev.regen.snapshot.diff.Change.Kind;
import dev.regen.snapshot.diff.Change.What;
import dev.regen.snapshot.layer.EntryIndex;
import dev.regen.snapshot.layer.ImageTree;
import dev.regen.snapshot.layer.LayerEntries;
import dev.regen.snapshot.layer.LayerItem;
import dev.regen.snapshot.layer.WalkOrder;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares two layers over one image, path by path in {@link WalkOrder}: what a container sees with
 * the one and with the other.
 *
 * <p>Where a layer says nothing of a path, its container sees the image's, unless a directory above
 * is deleted, opaque or no directory there. So with the image at hand each path that is seen on one
 * side and not on the other has its line, those below a deleted directory too. Without the image,
 * what only one layer has counts as added or deleted as if the image had nothing there, and a
 * deletion mark stands for all that it hides.
 *
 * <p>Reads both layers once, and of the image only what they show differently. Memory does not grow
 * with the layers, but for up to 50,000 paths of changed files (further names of theirs need them).
 * That two names are one file is not compared.
 */
public final class LayerDiff {
  /** How far the clock that stamps change times may be behind. */
  private static final int CLOCK_SECONDS = 1;

  /** A directory, or what hides one, and whether either side shows the image's content in it. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Level(byte[] path, boolean imageInA, boolean imageInB) {}

  private final Side a;
  private final Side b;
  private final @Nullable ImageTree image;
  private final Comparison comparison;
  private final Change.Sink sink;
  private final Deque<Level> levels = new ArrayDeque<>();
  private ImageTree.@Nullable Below shown;
  private @Nullable LayerItem shownNext;

  /**
   * Prepares; {@link #run} does it.
   *
   * @param image null if it is not at hand
   * @param since when the older side, if it is a snapshot, was taken: files on disk that have not
   *     been changed since are not read
   */
  public LayerDiff(
      LayerEntries before,
      LayerEntries now,
      @Nullable ImageTree image,
      Instant since,
      Change.Sink sink)
      throws IOException {
    this.a = new Side(before);
    this.b = new Side(now);
    this.image = image;
    this.comparison = new Comparison(since.minusSeconds(CLOCK_SECONDS));
    this.sink = sink;
    levels.push(new Level(new byte[0], true, true));
  }

  /**
   * Tells every change to the sink, in order.
   *
   * @throws dev.regen.snapshot.RegenException.Damaged if chunks that are needed are missing or
   *     wrong; what came before has been told then
   */
  public void run() throws IOException {
    for (byte[] path = least(); path != null; path = least()) {
      Side.Entry left = a.take(path);
      Side.Entry right = b.take(path);
      while (levels.size() > 1 && !WalkOrder.isBelow(path, levels.element().path())) {
        levels.pop();
      }
      compare(path, left, right);
    }
  }

  private byte @Nullable [] least() {
    byte[] least = null;
    for (byte[] path : new byte @Nullable [][] {a.path(), b.path(), shownPath()}) {
      if (path != null && (least == null || WalkOrder.compare(path, least) < 0)) {
        least = path;
      }
    }
    return least;
  }

  private byte @Nullable [] shownPath() {
    return shownNext == null ? null : shownNext.entry().path();
  }

  private void compare(byte[] path, Side.@Nullable Entry left, Side.@Nullable Entry right)
      throws IOException {
    Level level = levels.element();
    boolean inA = imageBelow(left, level.imageInA());
    boolean inB = imageBelow(right, level.imageInB());
    boolean needed = left == null || right == null || inA != inB;
    LayerItem ofImage = needed && (level.imageInA() || level.imageInB()) ? ofImage(path) : null;
    LayerItem before = seen(left, level.imageInA() ? ofImage : null);
    LayerItem now = seen(right, level.imageInB() ? ofImage : null);
    if (image == null && before == null && now == null) {
      tellMark(path, left, right, level);
    } else {
      tell(path, before, now, left != null && right != null);
    }
    if (inA != level.imageInA() || inB != level.imageInB()) {
      levels.push(new Level(path, inA, inB));
    }
    advance(path, ofImage, inA, inB);
  }

  /** Whether what the image has below a path is seen there. */
  private static boolean imageBelow(Side.@Nullable Entry entry, boolean imageHere) {
    return imageHere && (entry == null || entry.isOpenDirectory());
  }

  private static @Nullable LayerItem seen(Side.@Nullable Entry entry, @Nullable LayerItem ofImage) {
    if (entry == null) {
      return ofImage;
    }
    return entry.isDeletion() ? null : entry.item();
  }

  private @Nullable LayerItem ofImage(byte[] path) throws IOException {
    if (shown != null) {
      LayerItem item = shownNext;
      return item != null && WalkOrder.compare(item.entry().path(), path) == 0 ? item : null;
    }
    return image == null || path.length == 0 ? null : image.find(path);
  }

  private void tell(
      byte[] path, @Nullable LayerItem before, @Nullable LayerItem now, boolean bothInLayers)
      throws IOException {
    if (before != null && now != null) {
      Set<What> what = comparison.of(before, now, bothInLayers);
      if (!what.isEmpty()) {
        sink.accept(new Change(path, Kind.CHANGED, what, typeOf(now)));
      }
    } else if (now != null) {
      sink.accept(new Change(path, Kind.ADDED, Set.of(), typeOf(now)));
    } else if (before != null) {
      sink.accept(new Change(path, Kind.DELETED, Set.of(), typeOf(before)));
    }
  }

  private static EntryIndex.Type typeOf(LayerItem item) throws IOException {
    return item.resolved().entry().type();
  }

  /** A deletion on one side alone: the image had something, which nobody here knows. */
  private void tellMark(
      byte[] path, Side.@Nullable Entry left, Side.@Nullable Entry right, Level level)
      throws IOException {
    if (left == null && right != null && level.imageInA()) {
      sink.accept(new Change(path, Kind.DELETED, Set.of(), null));
    } else if (right == null && left != null && level.imageInB()) {
      sink.accept(new Change(path, Kind.ADDED, Set.of(), null));
    }
  }

  /** Goes on in the image's part of a directory that is not seen alike, or begins with one. */
  private void advance(byte[] path, @Nullable LayerItem ofImage, boolean inA, boolean inB)
      throws IOException {
    ImageTree.Below walk = shown;
    if (walk == null) {
      boolean begins =
          inA != inB && ofImage != null && ofImage.entry().type() == EntryIndex.Type.DIRECTORY;
      if (image == null || !begins) {
        return;
      }
      walk = image.below(path);
    } else if (ofImage == null) {
      return;
    } else if (!inA && !inB) {
      walk.skipLast();
    }
    shownNext = walk.next();
    shown = shownNext == null ? null : walk;
  }
}
