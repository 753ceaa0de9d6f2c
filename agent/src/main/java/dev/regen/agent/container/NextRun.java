package dev.regen.agent.container;

import dev.regen.agent.jobs.Job;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.EarlyLook;
import dev.regen.snapshot.restore.EarlyTree;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.Successors;
import dev.regen.snapshot.transfer.Follow;
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
  private final Successors successors;
  private final Stores stores;

  public NextRun(SnapshotQueues queues, HotTrees hotTrees, Successors successors, Stores stores) {
    this.queues = queues;
    this.hotTrees = hotTrees;
    this.successors = successors;
    this.stores = stores;
  }

  /** Where one store is known the tree is made ready there; otherwise the start does it. */
  void prepare(Snapshot snapshot, Job job) throws IOException {
    Optional<Staging> staging = staging();
    if (staging.isPresent()) {
      job.step("unpacking " + snapshot.id().shortened());
      hotTrees.prepare(snapshot, staging.get(), List.of(), List.of(), job.cancellable());
    }
  }

  private Optional<Staging> staging() throws IOException {
    List<Staging> all = stores.all();
    return all.size() == 1 && Fd.statIfThere(all.getFirst().directory()) != null
        ? Optional.of(all.getFirst())
        : Optional.empty();
  }

  /** Begins to look at what the tree of a queue's next snapshot can be made of, if it can. */
  EarlyLook look(QueueName queue) {
    try {
      Optional<Staging> staging = staging();
      return staging.isEmpty() ? EarlyLook.NOTHING : successors.look(queue, staging.get());
    } catch (IOException e) {
      LOG.info("queue {} is looked at when something comes: {}", queue, e.getMessage());
      return EarlyLook.NOTHING;
    }
  }

  /**
   * Begins to make a snapshot's tree ready while its chunks still arrive, to be its queue's newest.
   *
   * @param look closed after what is begun
   */
  Follow.Begun prepareEarly(Snapshot snapshot, ChunkReader.Source arriving, EarlyLook look) {
    try {
      Optional<Staging> staging = staging();
      if (staging.isEmpty() || snapshot.locked() != null) {
        return Follow.Begun.NOTHING;
      }
      EarlyTree tree = successors.early(snapshot, staging.get(), arriving, look);
      return new Follow.Begun() {
        @Override
        public void landed() {
          tree.landed();
        }

        @Override
        public void end() {
          tree.close();
        }
      };
    } catch (IOException e) {
      LOG.info("{} is unpacked when it is here: {}", snapshot.words(), e.getMessage());
      return Follow.Begun.NOTHING;
    }
  }

  /**
   * As {@link #prepare}, of a snapshot that arrived, if it is its queue's newest; what fails is
   * left to the start.
   */
  void prepareIfNewest(Snapshot snapshot, Job job) {
    try {
      Optional<Element> tail = queues.look(snapshot.queue()).tail();
      if (tail.isPresent() && tail.get().id().equals(snapshot.id()) && snapshot.locked() == null) {
        Optional<Staging> staging = staging();
        if (staging.isPresent()) {
          job.step("unpacking " + snapshot.id().shortened());
          successors.prepare(snapshot, staging.get(), job.cancellable(), job::cancelled);
        }
      }
    } catch (IOException | CancellationException e) {
      LOG.info("{} is unpacked at its start: {}", snapshot.words(), e.getMessage());
    }
  }
}
