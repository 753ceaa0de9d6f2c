package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the parts of an archive in its entry index, and checks that the index lists a tree in the
 * order of a walk: each directory before what is in it, names in the order of their bytes, nothing
 * twice. So no directory is come back to once the order has left it, and parts can be unpacked at
 * the same time.
 */
final class Parts {
  /** More than the entries of a chunk of the largest size; groups have one or a few chunks. */
  private static final int ENTRIES_MAX = 65_536;

  private final List<Chunk> chunks;
  private final EntryIndex index;
  private final Deque<byte[]> directories = new ArrayDeque<>();
  private EntryIndex.@Nullable Entry ahead;
  private EntryIndex.@Nullable Entry before;
  private int nextChunk;
  private int nextNumber;
  private long tarOffset;

  Parts(Archive archive, EntryIndex index) throws IOException {
    this.chunks = archive.chunks();
    this.index = index;
    long held = chunks.stream().mapToLong(Chunk::tarBytes).sum();
    if (held != archive.tarBytes()) {
      throw new RegenException.Damaged(
          "the archive's chunks hold %d bytes, its manifest says %d"
              .formatted(held, archive.tarBytes()));
    }
    this.ahead = index.next();
  }

  /**
   * The next part, or null after the last.
   *
   * @throws RegenException.Damaged if the index is damaged or does not fit the chunks
   */
  @Nullable Part next() throws IOException {
    if (nextChunk == chunks.size()) {
      if (ahead != null) {
        throw misfit("entries after the last chunk");
      }
      return null;
    }
    int first = nextChunk;
    long from = tarOffset;
    List<EntryIndex.Entry> entries = new ArrayList<>();
    do {
      tarOffset += chunks.get(nextChunk++).tarBytes();
      while (ahead != null && ahead.tarOffset() < tarOffset) {
        check(ahead);
        entries.add(ahead);
        ahead = index.next();
      }
      if (entries.size() > ENTRIES_MAX) {
        throw misfit("too many entries before the next end of a chunk");
      }
    } while (nextChunk < chunks.size() && !endsAt(tarOffset, entries));
    boolean last = nextChunk == chunks.size();
    return new Part(nextNumber++, first, nextChunk, from, tarOffset - from, entries, last);
  }

  /** The end of the archive, after the last entry, is a part too if it has chunks of its own. */
  private boolean endsAt(long offset, List<EntryIndex.Entry> entries) {
    if (ahead != null) {
      return ahead.tarOffset() == offset;
    }
    return !entries.isEmpty()
        && entries.getLast().tarOffset() + entries.getLast().tarBytes() == offset;
  }

  private void check(EntryIndex.Entry entry) throws RegenException {
    byte[] path = entry.path();
    if (entry.type() == EntryIndex.Type.OPAQUE) {
      if (before == null
          || before.type() != EntryIndex.Type.DIRECTORY
          || !Arrays.equals(before.path(), path)) {
        throw disorder(path);
      }
      before = entry;
      return;
    }
    if (before != null && Paths.compare(before.path(), path) >= 0) {
      throw disorder(path);
    }
    while (!directories.isEmpty() && !Paths.isBelow(path, directories.getLast())) {
      directories.removeLast();
    }
    boolean inItsPlace =
        directories.isEmpty()
            ? path.length == 0
            : Arrays.equals(Paths.parent(path), directories.getLast());
    if (!inItsPlace) {
      throw disorder(path);
    }
    if (entry.type() == EntryIndex.Type.DIRECTORY) {
      directories.addLast(path);
    }
    before = entry;
  }

  private static RegenException disorder(byte[] path) {
    return misfit(BadLayerException.shown(path) + " where no walk of a tree comes to it");
  }

  private static RegenException misfit(String what) {
    return new RegenException.Damaged(
        "the entry index has " + what + "; run `regen verify --repair`");
  }
}
