package dev.regen.snapshot.restore;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.layer.SameDirectories;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees.HotTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the hot tree of a snapshot that becomes the newest of its queue: of the hot tree of the one
 * before it, whose files are moved where they are the same, else from chunks alone.
 *
 * <p>The tree before stays what it is, and a start may have it, until the snapshot is in its queue.
 * Then it is taken away, unless a start has it, or a restore chose its snapshot; and whatever
 * happens after that, nothing of it is left: it can be built again from chunks.
 */
public final class Successors {
  private static final Logger LOG = LoggerFactory.getLogger(Successors.class);

  private final Disk disk;
  private final SnapshotQueues queues;
  private final LayerRestorer restorer;
  private final HotTrees hotTrees;
  private final Look look;

  /** Finds out which files of a tree are, unread, what chunks hold. */
  @FunctionalInterface
  public interface Look {
    /**
     * Changes nothing.
     *
     * @param snapshot the tree's, with the host's own ids
     * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
     */
    PresentTree of(Path tree, SnapshotId snapshot, BooleanSupplier cancelled) throws IOException;
  }

  /** A tree that may be taken, as it was looked at, and what of it is to be moved as a whole. */
  private record Before(HotTree tree, PresentTree present, SameDirectories same) {}

  public Successors(
      Disk disk, SnapshotQueues queues, LayerRestorer restorer, HotTrees hotTrees, Look look) {
    this.disk = disk;
    this.queues = queues;
    this.restorer = restorer;
    this.hotTrees = hotTrees;
    this.look = look;
  }

  /**
   * Begins to look at the tree of a queue's newest snapshot, since another is expected. It takes a
   * second or so with 100,000 files, in which that one may arrive.
   */
  public EarlyLook look(QueueName queue, Staging staging) {
    return new EarlyLook(ended -> {
      HotTree tree = idle(queue, null, staging);
      return tree == null
          ? null
          : new EarlyLook.Seen(tree, look.of(tree.path(), tree.snapshot(), ended));
    });
  }

  /**
   * Begins to make the tree of a snapshot some of whose chunks are still to come.
   *
   * @param snapshot its manifest was compared with its digest
   * @param arriving waits for chunks that are not here; has ended before the tree is closed
   * @param early closed after the tree
   */
  public EarlyTree early(
      Snapshot snapshot, Staging staging, ChunkReader.Source arriving, EarlyLook early) {
    LayerRestorer waiting = restorer.of(arriving);
    return new EarlyTree(
        hotTrees,
        snapshot,
        staging.building(),
        (building, tree) -> {
          Before before = before(snapshot, staging, waiting, early, tree::ended);
          if (before != null) {
            return at -> make(before, snapshot, at, Progress.NONE, () -> false);
          }
          waiting.restore(
              snapshot.archive(), building, List.of(), List.of(), Progress.NONE, tree::ended);
          return whole -> hotTrees.take(whole, snapshot);
        });
  }

  /**
   * Makes the tree of the newest snapshot of a queue, if it is not there.
   *
   * @param cancelled asked while the tree before is looked at
   * @throws RegenException.Damaged if chunks are missing or wrong
   */
  public void prepare(
      Snapshot snapshot, Staging staging, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    Before before =
        hotTrees.holds(staging, snapshot.id())
            ? null
            : before(snapshot, staging, restorer, EarlyLook.NOTHING, cancelled);
    if (before != null) {
      try {
        make(before, snapshot, staging.building(), progress, cancelled);
      } catch (IOException e) {
        LOG.info("{} is unpacked anew: {}", snapshot.words(), e.getMessage());
      }
    }
    hotTrees.ready(snapshot, staging, List.of(), List.of(), progress);
  }

  /** Null if there is none, or most of it has changed since. */
  private @Nullable Before before(
      Snapshot next,
      Staging staging,
      LayerRestorer reading,
      EarlyLook early,
      BooleanSupplier cancelled)
      throws IOException {
    HotTree tree = idle(next.queue(), next.id(), staging);
    if (tree == null) {
      return null;
    }
    try {
      PresentTree seen = early.at(tree);
      PresentTree present = seen == null ? look.of(tree.path(), tree.snapshot(), cancelled) : seen;
      return present.holdsHalfOf(next.archive().chunks())
          ? new Before(tree, present, reading.same(present, next.archive()))
          : null;
    } catch (IOException e) {
      LOG.info("nothing is known of {}: {}", tree.path(), e.getMessage());
      return null;
    }
  }

  /** The tree of the newest snapshot of a queue but {@code next}; null if it is not to be had. */
  private @Nullable HotTree idle(QueueName name, @Nullable SnapshotId next, Staging staging)
      throws IOException {
    if (!queues.exists(name)) {
      return null;
    }
    QueueContent queue = queues.look(name);
    Optional<SnapshotId> before =
        queue.elements().reversed().stream()
            .map(element -> element.id())
            .filter(id -> !id.equals(next))
            .findFirst()
            .filter(id -> !id.equals(queue.chosen()));
    return before.isEmpty() ? null : hotTrees.idle(staging, before.get());
  }

  private void make(
      Before before, Snapshot next, Path building, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    Path taken = take(before.tree(), next);
    try {
      PresentTree present = before.present().at(taken);
      restorer.restoreOutOf(
          present, before.same(), next.archive(), building, disk, progress, cancelled);
      hotTrees.take(building, next);
      // Who waits for the tree does not wait for what is left of the other one.
      hotTrees.discard(taken);
    } finally {
      hotTrees.remove(taken);
      hotTrees.remove(building);
    }
  }

  /** While nobody changes the queue, and so nobody chooses the tree's snapshot. */
  private Path take(HotTree tree, Snapshot next) throws IOException {
    try (SnapshotQueue queue = queues.open(next.queue())) {
      boolean newest = queue.tail().filter(tail -> tail.id().equals(next.id())).isPresent();
      boolean free = newest && !tree.snapshot().equals(queue.chosen());
      Path taken = free ? hotTrees.takeAway(tree) : null;
      if (taken == null) {
        throw new RegenException.Refused(tree.path() + " is in use");
      }
      return taken;
    }
  }
}
