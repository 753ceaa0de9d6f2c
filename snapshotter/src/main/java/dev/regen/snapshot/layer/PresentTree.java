package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A layer tree that a restore is to take the place of, and what is known of it: the groups of files
 * that are, unread, what chunks in the store hold.
 */
public final class PresentTree {
  /**
   * A directory with all that is below it.
   *
   * @param firstGroup the number of the group that the directory itself is in, counted from 0
   * @param lastGroup the number of the group of the last thing below it
   * @param entries below it, and itself
   * @param isMovable whether all of it is just as a restore would make it again: no file has a
   *     second name, here or elsewhere, and there is no whiteout
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Subtree(byte[] path, int firstGroup, int lastGroup, long entries, boolean isMovable) {}

  private final Path directory;
  private final List<@Nullable List<Chunk>> inOrder;
  private final Set<List<Chunk>> groups;
  private final List<Subtree> subtrees;
  private final FurtherNames furtherNames;

  private PresentTree(
      Path directory,
      List<@Nullable List<Chunk>> inOrder,
      List<Subtree> subtrees,
      FurtherNames furtherNames) {
    this.directory = directory;
    this.inOrder = inOrder;
    this.groups = new HashSet<>();
    inOrder.stream().filter(Objects::nonNull).forEach(groups::add);
    this.subtrees = subtrees;
    this.furtherNames = furtherNames;
  }

  /** A tree of which nothing is known. */
  public static PresentTree unknown(Path directory) {
    return new PresentTree(directory, List.of(), List.of(), new FurtherNames());
  }

  /**
   * The tree; nobody may change it or link its files until the restored tree has taken its place,
   * and it is to be removed then.
   */
  public Path directory() {
    return directory;
  }

  /** The chunks of each known group. */
  Set<List<Chunk>> groups() {
    return groups;
  }

  /** The chunks of each group, null for one that is not known. */
  List<@Nullable List<Chunk>> inOrder() {
    return inOrder;
  }

  /** The directories in the order of a walk, the first {@value Subtrees#MAX} of them. */
  List<Subtree> subtrees() {
    return subtrees;
  }

  /** Names of files that have several. */
  FurtherNames furtherNames() {
    return furtherNames;
  }

  /** The same tree, renamed since it was looked at. */
  public PresentTree at(Path renamed) {
    return new PresentTree(renamed, inOrder, subtrees, furtherNames);
  }

  /** Whether the tree has, unread, at least half of these chunks. */
  public boolean holdsHalfOf(List<Chunk> chunks) {
    Set<Chunk> all = new HashSet<>();
    groups.forEach(all::addAll);
    return 2 * chunks.stream().filter(all::contains).count() >= chunks.size();
  }

  /** Whether the tree is, unread, what these chunks hold, and nothing else. */
  public boolean holdsJust(List<Chunk> chunks) {
    List<Chunk> all = new ArrayList<>();
    for (List<Chunk> group : inOrder) {
      if (group == null) {
        return false;
      }
      all.addAll(group);
    }
    // The end of the archive has a chunk of its own.
    return !all.isEmpty()
        && chunks.size() == all.size() + 1
        && chunks.subList(0, all.size()).equals(all);
  }

  /**
   * Walks {@code tree} and looks its groups up; reads no file.
   *
   * @param request as its files are archived
   * @param known groups of archives
   * @throws CancellationException soon after {@code cancelled} has said true
   * @throws dev.regen.snapshot.RegenException.Refused if the tree holds what no archive can
   */
  public static PresentTree look(
      Path tree,
      ArchiveRequest request,
      KnownGroups known,
      InstantSource clock,
      BooleanSupplier cancelled)
      throws IOException {
    GroupKeys keys = new GroupKeys(request, clock.instant());
    List<@Nullable List<Chunk>> groups = new ArrayList<>();
    Subtrees subtrees = new Subtrees(request);
    FurtherNames furtherNames = new FurtherNames();
    Omissions omissions =
        new Omissions() {
          @Override
          void socket(byte[] path) {
            subtrees.hide(path);
          }
        };
    try (Fd root = Fd.directory(tree);
        Directory.Open open = new Directory.Open();
        TreeWalk walk = new TreeWalk(Directory.root(open, root), request, omissions)) {
      Grouping grouping = new Grouping(walk, request.sealing().cutting());
      for (Group group = grouping.next(); group != null; group = grouping.next()) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("cancelled");
        }
        GroupKey key = keys.of(group);
        StoredGroup stored = key == null ? null : known.find(key);
        subtrees.add(group, groups.size());
        furtherNames.add(group);
        groups.add(stored == null ? null : List.copyOf(stored.chunks()));
      }
    }
    return new PresentTree(tree, groups, subtrees.finished(), furtherNames);
  }
}
