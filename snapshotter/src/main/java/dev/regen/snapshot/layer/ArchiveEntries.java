package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The entries of an archive, by its index; of its data only what is asked for is read. In memory
 * are two chunks of the index, one of the data, and a path for each chunk of the index.
 */
public final class ArchiveEntries implements LayerEntries {
  /** Where a chunk of the index begins. */
  @SuppressWarnings("ArrayRecordComponent") // compared by BY_PATH alone
  private record Start(byte[] path, long tarOffset) {}

  private static final Comparator<Start> BY_PATH = (a, b) -> WalkOrder.compare(a.path(), b.path());

  private final ChunkReader reader;
  private final Archive archive;
  private final ArchiveBytes data;
  private final EntryIndex index;
  private final List<Start> starts = new ArrayList<>();
  private EntryIndex.@Nullable Entry last;

  // The chunk of the index in which a file was looked for last.
  private int searched = -1;
  private final Map<ByteBuffer, EntryIndex.Entry> found = new HashMap<>();

  /** Begins to read; gets no chunk yet. The chunks must not be deleted meanwhile. */
  public ArchiveEntries(ChunkReader reader, Archive archive) {
    this.reader = reader;
    this.archive = archive;
    this.data = new ArchiveBytes(reader, archive);
    this.index = EntryIndex.open(reader, archive);
  }

  /**
   * The next entry, or null after the last.
   *
   * @throws RegenException.Damaged if the index cannot be read, or is not in order
   */
  @Override
  public @Nullable LayerItem next() throws IOException {
    EntryIndex.Entry entry = index.next();
    if (entry == null) {
      return null;
    }
    if (last != null) {
      int order = WalkOrder.compare(last.path(), entry.path());
      if (order > 0 || (order == 0 && entry.type() != EntryIndex.Type.OPAQUE)) {
        throw damaged(entry.path(), "does not stand in order");
      }
    }
    if (index.chunk() == starts.size()) {
      starts.add(new Start(entry.path(), entry.tarOffset()));
    }
    last = entry;
    return new Item(entry);
  }

  @Override
  public void close() {
    // Nothing is open.
  }

  /** An entry and the way to its member. */
  private final class Item implements LayerItem {
    private final EntryIndex.Entry entry;

    private Item(EntryIndex.Entry entry) {
      this.entry = entry;
    }

    @Override
    public EntryIndex.Entry entry() {
      return entry;
    }

    @Override
    public LayerItem resolved() throws IOException {
      return entry.type() == EntryIndex.Type.HARD_LINK ? new Item(target(entry)) : this;
    }

    @Override
    public boolean mayHaveXattrs() {
      return entry.hasXattrs();
    }

    @Override
    public List<Xattr> xattrs() throws IOException {
      if (!entry.hasXattrs()) {
        return List.of();
      }
      FileBytes bytes = data.range(entry.tarOffset(), entry.tarBytes());
      TarMember member = new TarReader(source(bytes), 1, entry.tarBytes()).next();
      if (member == null) {
        throw damaged(entry.path(), "is not where the index says");
      }
      return member.xattrs();
    }

    @Override
    public FileBytes content() {
      return data.range(entry.dataOffset(), entry.size());
    }

    @Override
    public boolean isOlderThan(Instant moment) {
      return false;
    }

    @Override
    public boolean isStoredAs(LayerItem other) {
      return other instanceof Item item
          && item.entry.tarBytes() == entry.tarBytes()
          && isKnownToEqual(stored(), item.stored());
    }

    private FileBytes stored() {
      return data.range(entry.tarOffset(), entry.tarBytes());
    }
  }

  private static boolean isKnownToEqual(FileBytes a, FileBytes b) {
    try (a;
        b) {
      FileBytes.Stretch left = a.next();
      FileBytes.Stretch right = b.next();
      while (left != null && right != null && left.isKnownToEqual(right)) {
        left = a.next();
        right = b.next();
      }
      return left == null && right == null;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("nothing was read", e);
    }
  }

  private static TarSource source(FileBytes bytes) {
    return new TarSource() {
      @Override
      public @Nullable ByteBuffer next() throws IOException {
        FileBytes.Stretch stretch = bytes.next();
        return stretch == null ? null : stretch.bytes();
      }

      @Override
      public void close() {
        bytes.close();
      }
    };
  }

  /** The first name of a file stands before the others, so in a chunk that was read already. */
  private EntryIndex.Entry target(EntryIndex.Entry link) throws IOException {
    Start wanted = new Start(link.target(), 0);
    int place = Collections.binarySearch(starts, wanted, BY_PATH);
    int chunk = Math.max(0, place >= 0 ? place : -place - 2);
    if (chunk != searched) {
      loadFiles(chunk);
    }
    EntryIndex.Entry target = found.get(ByteBuffer.wrap(link.target()));
    if (target == null) {
      throw damaged(link.path(), "is a link to a file that is not there");
    }
    return target;
  }

  private void loadFiles(int chunk) throws IOException {
    found.clear();
    searched = chunk;
    EntryIndex part = EntryIndex.from(reader, archive, chunk, starts.get(chunk).tarOffset());
    while (part.hasMoreInChunk()) {
      EntryIndex.Entry entry = part.next();
      if (entry != null && isFile(entry.type())) {
        found.put(ByteBuffer.wrap(entry.path()), entry);
      }
    }
  }

  private static boolean isFile(EntryIndex.Type type) {
    return switch (type) {
      case FILE, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> true;
      case DIRECTORY, HARD_LINK, WHITEOUT, OPAQUE -> false;
    };
  }

  private static RegenException damaged(byte[] path, String what) {
    return new RegenException.Damaged(
        "the entry index: " + Paths.shown(path) + " " + what + "; run `regen verify --repair`");
  }
}
