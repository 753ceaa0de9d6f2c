package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a queue's last runs that no snapshot holds yet, as a run meets them that is about
 * to begin.
 */
final class LastLayers {
  /** The most a start waits for layers that are still being archived. */
  static final Duration ARCHIVE_LIMIT = Duration.ofSeconds(10);

  /** The same where a layer is only a part of a state, and so cannot be moved in instead. */
  private static final Duration PART_LIMIT = Duration.ofSeconds(100);

  private static final Duration TAKE_OVER_LIMIT = Duration.ofSeconds(2);

  private final RunRecords records;
  private final Spool spool;
  private final RunEnd ends;
  private final PendingLayers pending;
  private final Notices notices;

  LastLayers(RunRecords records, Spool spool, RunEnd ends, PendingLayers pending, Notices notices) {
    this.records = records;
    this.spool = spool;
    this.ends = ends;
    this.pending = pending;
    this.notices = notices;
  }

  /**
   * Waits until nobody reads files that this run may write to.
   *
   * @return the newest layer that no snapshot holds yet, free to be moved in; null if there is none
   */
  @Nullable FrozenLayer claim(QueueName queue, ContainerId self) throws IOException {
    FrozenLayer unspooled = finishEndings(queue, self);
    boolean free;
    try {
      free =
          pending.awaitArchived(queue, limit(queue, self))
              || (pending.takeOver(queue, TAKE_OVER_LIMIT) && mergeOwn(queue, self));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (!free) {
      throw new IOException("the layer of the last run is still being read");
    }
    if (unspooled != null) {
      return unspooled;
    }
    FrozenLayer newest = null;
    for (FrozenLayer layer : spool.list(queue)) {
      if (isOnlyCopy(layer)) {
        newest = layer;
      }
    }
    return newest;
  }

  private Duration limit(QueueName queue, ContainerId self) throws IOException {
    boolean part =
        spool.list(queue).stream()
            .anyMatch(layer ->
                layer.kind() == FrozenLayer.Kind.LISTED && !layer.container().equals(self));
    return part ? PART_LIMIT : ARCHIVE_LIMIT;
  }

  /** Whether a layer is whole and nobody else's: it can be moved in. */
  private boolean isOnlyCopy(FrozenLayer layer) throws IOException {
    return switch (layer.kind()) {
      case EXCHANGED -> isWhole(layer);
      case LINKED -> Fd.statIfThere(layer.tree()) != null && isRemoved(layer.container());
      case IN_PLACE -> false;
      case LISTED ->
          throw new IOException(
              "the state of "
                  + layer.endedAt()
                  + " is not archived yet, and a part of it is in a snapshot before; try again when"
                  + " the agent has archived it");
    };
  }

  /** Whether a container that stayed after its end, with the files its layer links, is gone now. */
  private boolean isRemoved(ContainerId container) throws IOException {
    RunRecord run = records.read(container);
    return run != null && Fd.statIfThere(run.union().upper()) == null;
  }

  /**
   * Brings other containers' ends into the spool that a crash or a full disk kept from it.
   *
   * @return the newest layer that still cannot be put there and is nobody else's
   */
  private @Nullable FrozenLayer finishEndings(QueueName queue, ContainerId self)
      throws IOException {
    FrozenLayer left = null;
    for (RunRecord other : records.list()) {
      FrozenLayer layer = other.ending();
      boolean open = layer != null || ends.isPutAway(other);
      if (!open || !other.queue().equals(queue) || other.container().equals(self)) {
        continue;
      }
      try (Fd lock = records.lock(other.container())) {
        ends.recover(other, lock);
      } catch (IOException e) {
        notices.tell(Kind.FAILED, queue, "an end is not in the spool: " + RuntimeExtension.why(e));
        boolean newer = layer != null && (left == null || left.endedAt().isBefore(layer.endedAt()));
        if (layer != null
            && layer.kind() == FrozenLayer.Kind.EXCHANGED
            && isWhole(layer)
            && newer) {
          left = layer;
        }
      }
    }
    return left;
  }

  private boolean mergeOwn(QueueName queue, ContainerId self) throws IOException {
    for (FrozenLayer layer : spool.list(queue)) {
      boolean shared =
          layer.kind() == FrozenLayer.Kind.LINKED || layer.kind() == FrozenLayer.Kind.LISTED;
      if (shared && layer.container().equals(self)) {
        merge(layer);
      }
    }
    return true;
  }

  /** A linked tree shares its files with the upper that is about to run on; it cannot stay. */
  void merge(FrozenLayer layer) throws IOException {
    spool.remove(layer.job());
    TreeRemoval.remove(layer.tree());
    notices.tell(
        Kind.MERGED,
        layer.queue(),
        "the state of "
            + layer.endedAt()
            + " was not archived yet; it is in the container, and no snapshot of its own");
  }

  private static boolean isWhole(FrozenLayer layer) throws IOException {
    var stat = Fd.statIfThere(layer.tree());
    return stat != null && stat.inode() == layer.upperInode();
  }
}
