package dev.regen.snapshot.diff;

import dev.regen.snapshot.layer.EntryIndex;
import dev.regen.snapshot.layer.LayerEntries;
import dev.regen.snapshot.layer.LayerItem;
import dev.regen.snapshot.layer.WalkOrder;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** One of two layers that are read side by side. */
final class Side {
  private final LayerEntries entries;
  private @Nullable LayerItem next;

  /** What a layer says of one path. */
  record Entry(LayerItem item, boolean opaque) {
    boolean isDeletion() {
      return item.entry().type() == EntryIndex.Type.WHITEOUT;
    }

    /** Whether it is a directory that shows what the layers below have in it. */
    boolean isOpenDirectory() {
      return item.entry().type() == EntryIndex.Type.DIRECTORY && !opaque;
    }
  }

  Side(LayerEntries entries) throws IOException {
    this.entries = entries;
    this.next = entries.next();
  }

  /** The next path, null after the last. */
  byte @Nullable [] path() {
    return next == null ? null : next.entry().path();
  }

  /** What the layer says of {@code path}, null if nothing; goes on behind it. */
  @Nullable Entry take(byte[] path) throws IOException {
    LayerItem item = next;
    if (item == null || WalkOrder.compare(item.entry().path(), path) != 0) {
      return null;
    }
    next = entries.next();
    boolean opaque =
        next != null
            && next.entry().type() == EntryIndex.Type.OPAQUE
            && WalkOrder.compare(next.entry().path(), path) == 0;
    if (opaque) {
      next = entries.next();
    }
    // A mark without its directory says nothing.
    return item.entry().type() == EntryIndex.Type.OPAQUE ? null : new Entry(item, opaque);
  }
}
