package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Facts of a tree that an archive was unpacked to: which of its files are, unread, which group of
 * the archive. A run may go on in the tree meanwhile: what is no older than the unpacking is left
 * out. Counts on a file system that moves an inode's change time when it is renamed, as ext4, XFS,
 * Btrfs and tmpfs do.
 */
public final class UnpackedFacts {
  /** A group of the archive. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Stored(
      List<byte[]> paths, int indexChunk, int indexOffset, int indexBytes, long tarBegin) {}

  private final EntryIndex index;
  private final Map<Long, Integer> chunkAt = new HashMap<>();
  private EntryIndex.@Nullable Entry ahead;

  /** The outermost directory around the last entry that has changed since. */
  private byte @Nullable [] touched;

  private UnpackedFacts(ChunkReader reader, Archive archive) throws IOException {
    index = EntryIndex.open(reader, archive);
    long tarOffset = 0;
    for (Chunk chunk : archive.chunks()) {
      chunkAt.put(tarOffset, chunkAt.size());
      tarOffset += chunk.tarBytes();
    }
    ahead = index.next();
  }

  /**
   * Walks the tree, and reads the archive's index beside it.
   *
   * @param request as the files would be archived
   * @param unpackedAt later than the unpacking by a tick of the file system's clock, and no later
   *     than any change by somebody else
   * @throws IOException also if the tree changes meanwhile; then nothing is known
   * @throws CancellationException soon after {@code cancelled} has said true
   */
  public static List<GroupFact> of(
      Fd tree,
      Archive archive,
      ChunkReader reader,
      ArchiveRequest request,
      Instant unpackedAt,
      InstantSource clock,
      BooleanSupplier cancelled)
      throws IOException {
    UnpackedFacts groups = new UnpackedFacts(reader, archive);
    GroupKeys keys = new GroupKeys(request, clock.instant());
    List<GroupFact> facts = new ArrayList<>();
    try (Directory.Open open = new Directory.Open();
        TreeWalk walk = new TreeWalk(Directory.root(open, tree), request, new Omissions())) {
      Grouping grouping = new Grouping(walk, request.sealing().cutting());
      for (Group group = grouping.next(); group != null; group = grouping.next()) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException();
        }
        Stored stored = groups.at(group.entries().getFirst().path());
        boolean untouched = groups.isUntouched(group, unpackedAt);
        if (stored != null && untouched && isSame(group, stored)) {
          GroupKey key = keys.of(group);
          GroupFact fact = key == null ? null : groups.fact(key, stored);
          if (fact != null) {
            facts.add(fact);
          }
        }
      }
    }
    return facts;
  }

  /**
   * Whether all of a group is as it was unpacked; to be asked of every group, in order. What is
   * renamed has new times, but what is in a renamed directory has not. The root's attributes are
   * not looked at, so its group counts as touched.
   */
  private boolean isUntouched(Group group, Instant unpackedAt) {
    boolean untouched = true;
    for (TreeEntry entry : group.entries()) {
      if (touched != null && WalkOrder.isBelow(entry.path(), touched)) {
        untouched = false;
        continue;
      }
      touched = null;
      if (entry.path().length == 0) {
        untouched = false;
      } else if (!GroupKeys.isBefore(entry.stat().ctime(), unpackedAt)) {
        untouched = false;
        touched = entry.stat().isDirectory() ? entry.path() : null;
      }
    }
    return untouched;
  }

  private static boolean isSame(Group group, Stored stored) {
    List<TreeEntry> entries = group.entries();
    if (entries.size() != stored.paths().size()) {
      return false;
    }
    for (int i = 0; i < entries.size(); i++) {
      if (!Arrays.equals(entries.get(i).path(), stored.paths().get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The archive's group that begins with {@code path}, or null; to be asked in order. */
  private @Nullable Stored at(byte[] path) throws IOException {
    while (ahead != null && WalkOrder.compare(ahead.path(), path) < 0) {
      ahead = index.next();
    }
    EntryIndex.Entry first = ahead;
    if (first == null || !first.beginsGroup() || WalkOrder.compare(first.path(), path) != 0) {
      return null;
    }
    int chunk = index.chunk();
    int begin = index.recordBegin();
    int end;
    List<byte[]> paths = new ArrayList<>();
    EntryIndex.Entry next = first;
    do {
      paths.add(next.path());
      end = index.chunk() == chunk ? index.recordEnd() : -1;
      next = index.next();
    } while (next != null && !next.beginsGroup());
    ahead = next;
    return end < 0 ? null : new Stored(paths, chunk, begin, end - begin, first.tarOffset());
  }

  /** Null if the group has no chunks of its own. */
  private @Nullable GroupFact fact(GroupKey key, Stored stored) {
    Integer from = chunkAt.get(stored.tarBegin());
    Integer to =
        ahead == null ? Integer.valueOf(chunkAt.size() - 1) : chunkAt.get(ahead.tarOffset());
    if (from == null || to == null || to <= from) {
      return null;
    }
    return new GroupFact(
        key,
        stored.indexChunk(),
        stored.indexOffset(),
        stored.indexBytes(),
        stored.paths().size(),
        from,
        to - from);
  }
}
