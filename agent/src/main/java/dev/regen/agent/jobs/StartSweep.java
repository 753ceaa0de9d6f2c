package dev.regen.agent.jobs;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.CapturedFiles;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tidies the staging directories when the agent starts: what a crash left half made is removed, a
 * frozen tree that no job names gets a job, for it may be the only copy of somebody's work.
 */
public final class StartSweep {
  private static final Logger LOG = LoggerFactory.getLogger(StartSweep.class);
  private static final int KEEP_DEFAULT = 5;

  private final Spool spool;
  private final Stores stores;
  private final Views views;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final CapturedFiles files;
  private final Events events;

  public StartSweep(
      Spool spool,
      Stores stores,
      Views views,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      CapturedFiles files,
      Events events) {
    this.spool = spool;
    this.stores = stores;
    this.views = views;
    this.queues = queues;
    this.snapshots = snapshots;
    this.files = files;
    this.events = events;
  }

  /**
   * Sweeps every store that was ever used here; what fails in one does not keep the others.
   *
   * <p>Crashes of hooks must have been recovered before, so that every frozen tree that has a run
   * record has its job. Hooks must not be answered yet.
   */
  public void run() throws IOException {
    spool.sweep();
    Set<Path> named = new HashSet<>();
    for (FrozenLayer layer : spool.list()) {
      named.add(layer.tree());
    }
    boolean allThere = true;
    Set<String> listed = new HashSet<>();
    for (Staging staging : stores.all()) {
      allThere &= views.where(staging.directory(), () -> sweep(staging, named, listed));
    }
    if (allThere) {
      sweepListings(listed);
    }
  }

  /**
   * A listing whose layer is archived, or was never frozen, keeps chunks that nobody needs.
   *
   * @param listed the jobs whose trees are there; one may have no place in the spool yet
   */
  private void sweepListings(Set<String> listed) throws IOException {
    Set<String> jobs = new HashSet<>(listed);
    for (FrozenLayer layer : spool.list()) {
      jobs.add(layer.job());
    }
    files.sweepListings(jobs);
  }

  /** Whether the store is there. */
  private boolean sweep(Staging staging, Set<Path> named, Set<String> listed) throws IOException {
    if (Fd.statIfThere(staging.directory()) == null) {
      return false;
    }
    for (Path tree : staging.trees()) {
      String name = String.valueOf(tree.getFileName());
      if (name.startsWith(Staging.LISTED)) {
        listed.add(name.substring(Staging.LISTED.length()));
      }
      try {
        sweep(tree, named);
      } catch (IOException e) {
        LOG.warn("{} stays where it is: {}", tree, e.getMessage());
      }
    }
    return true;
  }

  private void sweep(Path tree, Set<Path> named) throws IOException {
    String name = String.valueOf(tree.getFileName());
    if (name.startsWith(Staging.BUILDING)
        || name.startsWith(Staging.TRASH)
        || name.startsWith(Staging.LINKING)) {
      TreeRemoval.remove(tree);
      LOG.info("removed {}, which was not finished", tree);
    } else if (name.startsWith(Staging.FROZEN) && !named.contains(tree)) {
      // It may share files with a container: nobody may move it in.
      adopt(tree, name.substring(Staging.FROZEN.length()), FrozenLayer.Kind.IN_PLACE);
    } else if (name.startsWith(Staging.LISTED) && !named.contains(tree)) {
      adopt(tree, name.substring(Staging.LISTED.length()), FrozenLayer.Kind.LISTED);
    }
  }

  private void adopt(Path tree, String job, FrozenLayer.Kind kind) throws IOException {
    Staging.FrozenName told = Staging.parseFrozen(Staging.FROZEN + job);
    if (kind == FrozenLayer.Kind.LISTED && !files.hasListing(job)) {
      told = null;
    }
    if (told == null) {
      LOG.warn("{} does not say whose it is; it stays", tree);
      return;
    }
    Optional<Snapshot> before = tail(told);
    LayerFacts facts =
        new LayerFacts(
            new ContainerId(told.container()),
            told.queue(),
            keep(told),
            before.map(Snapshot::imageId).orElse(""),
            before.map(Snapshot::imageName).orElse(""),
            List.of(),
            before.map(Snapshot::spec).orElseGet(JsonObject::new));
    FrozenLayer layer =
        new FrozenLayer(
            job,
            facts,
            tree,
            kind,
            Fd.stat(tree).inode(),
            SeenRun.between(null, told.time()),
            List.of());
    spool.write(layer);
    events.tell(
        Event.Kind.ADOPTED,
        told.queue().value(),
        "a layer tree of " + told.time() + " had no record; it is archived as it is");
  }

  private int keep(Staging.FrozenName told) throws IOException {
    try {
      return queues.exists(told.queue()) ? queues.look(told.queue()).asked() : KEEP_DEFAULT;
    } catch (RegenException e) {
      return KEEP_DEFAULT;
    }
  }

  private Optional<Snapshot> tail(Staging.FrozenName told) throws IOException {
    try {
      Optional<dev.regen.snapshot.queue.Element> tail =
          queues.exists(told.queue()) ? queues.look(told.queue()).tail() : Optional.empty();
      return tail.isEmpty() ? Optional.empty() : Optional.of(snapshots.read(tail.get().id()));
    } catch (RegenException e) {
      return Optional.empty();
    }
  }
}
