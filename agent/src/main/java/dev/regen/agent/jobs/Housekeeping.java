package dev.regen.agent.jobs;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.os.Priority;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.TreeSize;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.HotTrees.HotTree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes layer trees and chunks that nobody needs on the disk, on a thread of its own: nobody
 * waits for it.
 *
 * <p>Hot trees go that no run will start from; then, while those left take more than the budget,
 * the one whose queue ran longest ago. For the budget never goes the one that a restore chose. None
 * goes that was asked for just now: a start may be about to move it in, though its queue has a
 * newer snapshot since. What goes can be unpacked again from its chunks.
 */
public final class Housekeeping implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
  private static final Duration BETWEEN = Duration.ofMinutes(1);

  private final SnapshotQueues queues;
  private final HotTrees hotTrees;
  private final Runnable collect;
  private final Stores stores;
  private final Views views;
  private final long budgetBytes;
  private final Duration inUse;
  private final InstantSource clock;
  private final Thread thread;

  /** What a tree takes; it does not change while it is hot. */
  private final Map<HotTree, Long> sizes = new HashMap<>();

  private boolean told = true;
  private boolean wasTold;
  private boolean closed;

  /**
   * @param collect deletes what only snapshots needed that have left their queues
   * @param budgetBytes what all hot trees may take, at least 0
   * @param inUse how long a tree that a run may start from stays after it was used, whatever the
   *     budget
   */
  public Housekeeping(
      SnapshotQueues queues,
      HotTrees hotTrees,
      Runnable collect,
      Stores stores,
      Views views,
      long budgetBytes,
      Duration inUse,
      InstantSource clock) {
    this.queues = queues;
    this.hotTrees = hotTrees;
    this.collect = collect;
    this.stores = stores;
    this.views = views;
    this.budgetBytes = budgetBytes;
    this.inUse = inUse;
    this.clock = clock;
    thread = Thread.ofPlatform().name("housekeeping").daemon().unstarted(this::keep);
  }

  public void start() {
    thread.start();
  }

  /** There may be something to remove. */
  public synchronized void look() {
    told = true;
    notifyAll();
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void keep() {
    try {
      while (awaitTold()) {
        try {
          tidy();
          collect.run();
          if (!wasTold) {
            force();
          }
        } catch (IOException | RuntimeException e) {
          LOG.warn("hot trees were not tidied; tried again in a minute", e);
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("stopped");
    }
  }

  /** After a minute in which nothing ended, so that a reboot finds the trees on the disk. */
  private void force() throws IOException {
    for (Staging staging : stores.all()) {
      views.where(
          staging.directory(),
          () -> {
            hotTrees.force(staging);
            return true;
          });
    }
  }

  /** A tree that was in use becomes free without anybody telling. */
  private synchronized boolean awaitTold() throws InterruptedException {
    long deadline = System.nanoTime() + BETWEEN.toNanos();
    long leftMillis = BETWEEN.toMillis();
    while (!told && !closed && leftMillis > 0) {
      wait(leftMillis);
      leftMillis = (deadline - System.nanoTime()) / 1_000_000;
    }
    wasTold = told;
    told = false;
    return !closed;
  }

  /** One look at all trees; for tests too. */
  void tidy() throws IOException {
    Set<SnapshotId> tails = new HashSet<>();
    Set<SnapshotId> chosen = new HashSet<>();
    boolean known = wanted(tails, chosen);
    List<HotTree> kept = new ArrayList<>();
    for (Staging staging : stores.all()) {
      views.where(
          staging.directory(),
          () -> {
            for (HotTree tree : hotTrees.list(staging)) {
              boolean wanted = tails.contains(tree.snapshot()) || chosen.contains(tree.snapshot());
              boolean given = hotTrees.isGiven(tree) && isInUse(tree);
              if (wanted || !known || given || !drop(tree)) {
                kept.add(tree);
              }
            }
            return true;
          });
    }
    sizes.keySet().retainAll(kept);
    kept.sort(Comparator.comparing(HotTree::usedAt).reversed());
    keepWithinBudget(kept, chosen);
  }

  /** Fills in what runs may start from; false if a queue could not be read. */
  private boolean wanted(Set<SnapshotId> tails, Set<SnapshotId> chosen) throws IOException {
    boolean known = true;
    for (QueueName name : queues.list()) {
      try {
        QueueContent content = queues.look(name);
        content.tail().ifPresent(tail -> tails.add(tail.id()));
        SnapshotId next = content.chosen();
        if (next != null) {
          chosen.add(next);
        }
      } catch (RegenException.NotFound e) {
        LOG.debug("queue {} has just gone", name);
      } catch (RegenException e) {
        known = false;
        LOG.debug("the hot trees of {} are not known", name, e);
      }
    }
    return known;
  }

  private void keepWithinBudget(List<HotTree> newestFirst, Set<SnapshotId> chosen)
      throws IOException {
    long bytes = 0;
    for (HotTree tree : newestFirst) {
      long size = size(tree);
      if (bytes + size <= budgetBytes || chosen.contains(tree.snapshot())) {
        bytes += size;
      } else if (isInUse(tree) || !views.where(tree.path(), () -> drop(tree))) {
        bytes += size;
      }
    }
  }

  private long size(HotTree tree) throws IOException {
    Long known = sizes.get(tree);
    if (known != null) {
      return known;
    }
    long[] size = {0};
    // Nobody waits for this, and what has just arrived is about to be started.
    Priority.last(() -> size[0] = views.where(tree.path(), () -> measured(tree)));
    sizes.put(tree, size[0]);
    return size[0];
  }

  /** A tree that a start has just taken takes nothing any more. */
  private static long measured(HotTree tree) {
    try {
      return TreeSize.bytes(tree.path());
    } catch (IOException e) {
      LOG.debug("{} cannot be measured", tree.path(), e);
      return 0;
    }
  }

  private boolean isInUse(HotTree tree) {
    return Duration.between(tree.usedAt(), clock.instant()).compareTo(inUse) < 0;
  }

  private boolean drop(HotTree tree) throws IOException {
    Path trash = hotTrees.drop(tree);
    if (trash == null) {
      return false;
    }
    LOG.info("hot tree of snapshot {} removed", tree.snapshot().shortened());
    Priority.last(() -> TreeRemoval.remove(trash));
    return true;
  }
}
