package dev.regen.agent.container;

import dev.regen.agent.jobs.Job;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Unpacks what the next run of a queue starts from before that run. */
public final class NextRun {
  private static final Logger LOG = LoggerFactory.getLogger(NextRun.class);

  private final SnapshotQueues queues;
  private final HotTrees hotTrees;
  private final Stores stores;

  public NextRun(SnapshotQueues queues, HotTrees hotTrees, Stores stores) {
    this.queues = queues;
    this.hotTrees = hotTrees;
    this.stores = stores;
  }

  /** Where one store is known the tree is made ready there; otherwise the start does it. */
  void prepare(Snapshot snapshot, Job job) throws IOException {
    List<Staging> all = stores.all();
    if (all.size() == 1 && Fd.statIfThere(all.getFirst().directory()) != null) {
      job.step("unpacking " + snapshot.id().shortened());
      hotTrees.prepare(snapshot, all.getFirst(), List.of(), List.of(), job.cancellable());
    }
  }

  /** As above, if it is its queue's newest; what fails is left to the start. */
  public void prepareIfNewest(Snapshot snapshot, Job job) {
    try {
      Optional<Element> tail = queues.look(snapshot.queue()).tail();
      if (tail.isPresent() && tail.get().id().equals(snapshot.id()) && snapshot.locked() == null) {
        prepare(snapshot, job);
      }
    } catch (IOException | CancellationException e) {
      LOG.info("{} is unpacked at its start: {}", snapshot.words(), e.getMessage());
    }
  }
}
