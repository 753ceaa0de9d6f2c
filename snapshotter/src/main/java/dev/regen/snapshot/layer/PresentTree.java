package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * A layer tree that a restore is to take the place of, and what is known of it: the groups of files
 * that are, unread, what chunks in the store hold.
 *
 * @param directory the tree; nobody may change it or link its files until the restored tree has
 *     taken its place, and it is to be removed then
 * @param groups the chunks of each known group
 */
public record PresentTree(Path directory, Set<List<Chunk>> groups) {
  public PresentTree {
    groups = Set.copyOf(groups);
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
    Set<List<Chunk>> groups = new HashSet<>();
    try (Fd root = Fd.directory(tree);
        Directory.Open open = new Directory.Open()) {
      TreeWalk walk = new TreeWalk(Directory.root(open, root), request, new Omissions());
      Grouping grouping = new Grouping(walk, request.sealing().cutting());
      for (Group group = grouping.next(); group != null; group = grouping.next()) {
        if (cancelled.getAsBoolean()) {
          throw new CancellationException("cancelled");
        }
        GroupKey key = keys.of(group);
        StoredGroup stored = key == null ? null : known.find(key);
        if (stored != null) {
          groups.add(List.copyOf(stored.chunks()));
        }
      }
    }
    return new PresentTree(tree, groups);
  }
}
