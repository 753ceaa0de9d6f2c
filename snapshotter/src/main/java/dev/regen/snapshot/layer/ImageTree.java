package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a container sees of its image's layers: single paths, and all below a directory. Holds the
 * way to the last path asked for, so asking in {@link WalkOrder} costs a system call a layer that
 * has the directory. For one thread.
 */
public final class ImageTree implements AutoCloseable {
  /** Where one directory of the union is, in the layers that have a part in it, topmost first. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Place(byte[] path, List<Directory> parts) {}

  /** What the union has under one name; {@code parts} if it is a directory. */
  private record Found(LayerItem item, List<Directory> parts) {}

  private final List<Fd> roots = new ArrayList<>();
  private final Directory.Open open = new Directory.Open();
  private final DiskFiles files;
  private final Deque<Place> way = new ArrayDeque<>();

  /**
   * Opens the layers.
   *
   * @param layers topmost first
   * @param uidMap whose ids are told, empty for the host's; likewise {@code gidMap}
   */
  public ImageTree(List<Path> layers, List<IdRange> uidMap, List<IdRange> gidMap)
      throws IOException {
    files = new DiskFiles(uidMap, gidMap);
    List<Directory> parts = new ArrayList<>();
    try {
      for (Path layer : layers) {
        Fd root = Fd.directory(layer);
        roots.add(root);
        parts.add(Directory.root(open, root));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
    way.push(new Place(Paths.root(), parts));
  }

  /** What is at {@code path}, which is not the root; null if nothing is, or a socket. */
  public @Nullable LayerItem find(byte[] path) throws IOException {
    Place place = directory(parent(path));
    Found found = place == null ? null : found(place, lastName(path));
    return found == null ? null : found.item();
  }

  /** All below the directory {@code path}, itself not among it; nothing if it is none. */
  public Below below(byte[] path) throws IOException {
    return new Below(directory(path));
  }

  @Override
  public void close() {
    open.close();
    roots.forEach(Fd::close);
  }

  /** A walk through a part of the union; while it goes on, nothing else may be asked for. */
  public final class Below {
    /** A directory that is being walked, and where in it. */
    private record Level(Place place, Iterator<byte[]> names) {}

    private final Deque<Level> levels = new ArrayDeque<>();
    private @Nullable Place last;

    private Below(@Nullable Place start) {
      last = start;
    }

    /** The next item, or null after the last. */
    public @Nullable LayerItem next() throws IOException {
      enterLast();
      while (!levels.isEmpty()) {
        Level level = levels.peek();
        if (!level.names().hasNext()) {
          levels.pop();
          continue;
        }
        Found found = found(level.place(), level.names().next());
        if (found != null) {
          last =
              found.parts().isEmpty()
                  ? null
                  : new Place(found.item().entry().path(), found.parts());
          return found.item();
        }
      }
      return null;
    }

    /** Leaves out what is in the directory that {@link #next} gave last. */
    public void skipLast() {
      last = null;
    }

    private void enterLast() throws IOException {
      Place entered = last;
      last = null;
      if (entered != null) {
        SortedSet<byte[]> names = new TreeSet<>(Arrays::compareUnsigned);
        for (Directory part : entered.parts()) {
          for (Fd.Name name : part.fd().list()) {
            names.add(name.bytes());
          }
        }
        levels.push(new Level(entered, names.iterator()));
      }
    }
  }

  /** The directory {@code path} of the union, null if it is none. */
  private @Nullable Place directory(byte[] path) throws IOException {
    while (way.element().path().length > 0
        && !Arrays.equals(way.element().path(), path)
        && !WalkOrder.isBelow(path, way.element().path())) {
      way.pop();
    }
    while (way.element().path().length < path.length) {
      Place place = way.element();
      byte[] name = nameAfter(place.path(), path);
      Found found = found(place, name);
      if (found == null || found.parts().isEmpty()) {
        return null;
      }
      way.push(new Place(Paths.below(place.path(), name), found.parts()));
    }
    return way.element();
  }

  private @Nullable Found found(Place place, byte[] name) throws IOException {
    byte[] path = Paths.below(place.path(), name);
    LayerItem top = null;
    List<Directory> parts = new ArrayList<>();
    for (Directory part : place.parts()) {
      Stat stat = part.fd().statIfThere(name);
      if (stat == null) {
        continue;
      }
      EntryIndex.Type type = DiskFiles.type(stat);
      if (type != EntryIndex.Type.DIRECTORY) {
        if (top == null && type != null && !isWhiteout(part, name, stat)) {
          top = files.item(part, name, path, type, stat, EntryIndex.NO_BYTES);
        }
        break;
      }
      Directory below = part.child(name, path, stat);
      if (top == null) {
        top = files.item(part, name, path, type, stat, EntryIndex.NO_BYTES);
      }
      parts.add(below);
      if (Whiteouts.opacity(below.fd()) == Whiteouts.Opacity.OPAQUE) {
        break;
      }
    }
    return top == null ? null : new Found(top, parts);
  }

  private static boolean isWhiteout(Directory directory, byte[] name, Stat stat)
      throws IOException {
    return Whiteouts.isDevice(stat)
        || (stat.isRegular()
            && stat.size() == 0
            && Whiteouts.opacity(directory.fd()) == Whiteouts.Opacity.HOLDS_XATTR_WHITEOUTS
            && Whiteouts.isXattrForm(directory.fd(), name, stat));
  }

  private static byte[] parent(byte[] path) {
    int slash = lastSlash(path);
    return slash < 0 ? Paths.root() : Arrays.copyOf(path, slash);
  }

  private static byte[] lastName(byte[] path) {
    return Arrays.copyOfRange(path, lastSlash(path) + 1, path.length);
  }

  private static int lastSlash(byte[] path) {
    int at = path.length - 1;
    while (at >= 0 && path[at] != '/') {
      at--;
    }
    return at;
  }

  private static byte[] nameAfter(byte[] above, byte[] path) {
    int from = above.length == 0 ? 0 : above.length + 1;
    int to = from;
    while (to < path.length && path[to] != '/') {
      to++;
    }
    return Arrays.copyOfRange(path, from, to);
  }
}
