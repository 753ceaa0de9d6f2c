package dev.regen.agent.container;

import dev.regen.agent.container.ContainerRestore.Request;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.CapturedFiles;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.restore.HotTrees;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a container that its engine keeps back to a snapshot, with the id it has: stopped, its
 * layer exchanged, started again. Until the exchange it can be cancelled or fail and is then as it
 * was; after it there is no way back but another restore.
 */
public final class InPlaceRestore {
  private static final Logger LOG = LoggerFactory.getLogger(InPlaceRestore.class);

  private final Engine engine;
  private final Targets targets;
  private final KnownContainers containers;
  private final PlainLayers plain;
  private final ContainerCapture capture;
  private final CapturedFiles files;
  private final HotTrees hotTrees;
  private final SpoolDrain drain;
  private final Spool spool;
  private final StoppedForRestore stopped;
  private final InstantSource clock;

  public InPlaceRestore(
      Engine engine,
      Targets targets,
      KnownContainers containers,
      PlainLayers plain,
      ContainerCapture capture,
      CapturedFiles files,
      HotTrees hotTrees,
      SpoolDrain drain,
      Spool spool,
      StoppedForRestore stopped,
      InstantSource clock) {
    this.engine = engine;
    this.targets = targets;
    this.containers = containers;
    this.plain = plain;
    this.capture = capture;
    this.files = files;
    this.hotTrees = hotTrees;
    this.drain = drain;
    this.spool = spool;
    this.stopped = stopped;
    this.clock = clock;
  }

  /** Does it; returns what became of the container, for a person. */
  String restore(Target target, QueueName queue, Snapshot snapshot, Request request, Job job)
      throws IOException, InterruptedException {
    if (target.running()) {
      stopped.add(target.id());
    }
    try {
      return restore(target, target.running(), queue, snapshot, request, job);
    } finally {
      if (target.running()) {
        stopped.remove(target.id());
      }
    }
  }

  private String restore(
      Target target,
      boolean wasRunning,
      QueueName queue,
      Snapshot snapshot,
      Request request,
      Job job)
      throws IOException, InterruptedException {
    boolean exchanged = false;
    // Where the engine does not tell, only the mount of the running container does.
    Path upper = target.known() == null ? upperOf(target) : null;
    try {
      end(target, queue, request, wasRunning, job);
      exchange(target, upper, snapshot, !wasRunning && !request.discard(), job);
      exchanged = true;
      if (!request.start()) {
        return target.words() + " is back at " + snapshot.words() + " and stopped";
      }
      job.step("starting " + target.name());
      engine.start(target.id().value());
      return target.words() + " is back at " + snapshot.words() + " and runs";
    } catch (CancellationException e) {
      String state = asItWas(target, wasRunning, e);
      throw new CancellationException(target.words() + " was not restored: cancelled; " + state);
    } catch (IOException e) {
      String state =
          exchanged
              ? "its layer is that of " + snapshot.words() + ", but it could not be started"
              : asItWas(target, wasRunning, e);
      RegenException.Refused failure =
          new RegenException.Refused(
              target.words() + " was not restored: " + Why.of(e) + "; " + state);
      failure.initCause(e);
      throw failure;
    }
  }

  /** Gives a container that was just created, and never ran, its layer. */
  void fill(Target created, Snapshot snapshot, Job job) throws IOException, InterruptedException {
    exchange(created, upperOf(created), snapshot, false, job);
  }

  private void end(Target target, QueueName queue, Request request, boolean wasRunning, Job job)
      throws IOException, InterruptedException {
    job.checkCancelled();
    if (wasRunning && request.discard()) {
      stopAndDiscard(target, queue, job);
    } else if (wasRunning) {
      job.step("stopping " + target.name());
      engine.stop(target.id().value());
      drain.look();
      job.step("capturing the present state");
      if (target.known() == null) {
        capture.stoppedByUs(targets.again(target));
      }
      drain.awaitArchived(queue, job);
    }
    job.checkCancelled();
  }

  /** What this end leaves is dropped before anybody archives it. */
  private void stopAndDiscard(Target target, QueueName queue, Job job) throws IOException {
    job.step("stopping " + target.name());
    Instant began = clock.instant().minusMillis(1);
    try (SpoolDrain.Hold _ = drain.hold(queue)) {
      plain.passOver(target.id(), Instant.MAX);
      engine.stop(target.id().value());
      for (FrozenLayer layer : spool.list(queue)) {
        boolean ofThisEnd =
            layer.container().equals(target.id())
                && layer.kind() != FrozenLayer.Kind.EXCHANGED
                && !layer.endedAt().isBefore(began);
        if (ofThisEnd) {
          spool.remove(layer.job());
          TreeRemoval.remove(layer.tree());
        }
      }
    } finally {
      plain.passOver(target.id(), clock.instant());
    }
  }

  /**
   * Exchanges the layer of a container that is stopped.
   *
   * @param upper of a container under plain runc
   * @param keep whether its present state may be one that its queue does not hold
   */
  private void exchange(
      Target target, @Nullable Path upper, Snapshot snapshot, boolean keep, Job job)
      throws IOException, InterruptedException {
    Target now = targets.again(target);
    KnownContainers.Known known = now.known();
    if (known != null) {
      removeLater(
          containers.replaceUpper(
              known.id(),
              clock.instant(),
              present -> replacement(now, snapshot, known, present, keep, job)));
    } else if (upper != null) {
      if (keep) {
        capture.stopped(now, job);
      }
      job.step("unpacking " + snapshot.id().shortened());
      Path tree =
          hotTrees.prepare(snapshot, Staging.of(upper), List.of(), List.of(), job.cancellable());
      job.checkCancelled();
      job.step("exchanging the layer of " + target.name());
      plain.replaceUpper(targets.again(target), upper, tree, clock.instant());
    } else {
      throw new RegenException.Refused("container " + target.name() + " was removed meanwhile");
    }
  }

  private KnownContainers.Replacement replacement(
      Target target,
      Snapshot snapshot,
      KnownContainers.Known known,
      @Nullable FrozenLayer present,
      boolean keep,
      Job job)
      throws IOException, InterruptedException {
    PresentTree over = present == null ? null : look(present, job);
    if (keep && (over == null || !files.isTail(known.queue(), over))) {
      capture.stopped(target, job);
      // Some of its files were linked meanwhile, which moves their times.
      over = present == null ? null : look(present, job);
    }
    job.step("unpacking " + snapshot.id().shortened());
    Staging staging = Staging.of(known.upper());
    if (over == null) {
      Path tree =
          hotTrees.prepare(snapshot, staging, known.uidMap(), known.gidMap(), job.cancellable());
      return new KnownContainers.Replacement(tree, List.of());
    }
    return hotTrees.over(
        over, snapshot, staging, known.uidMap(), known.gidMap(), job.cancellable());
  }

  /** A layer that cannot be archived can be restored over all the same. */
  private PresentTree look(FrozenLayer present, Job job) throws IOException {
    try {
      return files.present(present, job::cancelled);
    } catch (RegenException e) {
      LOG.info("nothing is known of the present layer: {}", Why.of(e));
      return PresentTree.unknown(present.tree());
    }
  }

  /** The container need not wait for it. */
  private static void removeLater(@Nullable Path old) {
    if (old != null) {
      Thread.ofPlatform().name("regen-old-layer").daemon().start(() -> remove(old));
    }
  }

  private static void remove(Path old) {
    try {
      TreeRemoval.remove(old);
    } catch (IOException e) {
      LOG.warn("{} is left; the next start of the agent removes it", old, e);
    }
  }

  private Path upperOf(Target target) throws IOException {
    Path upper = plain.upper(target);
    if (upper == null || !plain.isSeen(upper)) {
      throw new RegenException.Refused(
          target.words()
              + " runs under plain runc, and its engine does not say where its writable layer is"
              + (target.running() ? "" : " while it is stopped: start it and try again")
              + "; or run it with --runtime=regen");
    }
    return upper;
  }

  private String asItWas(Target target, boolean wasRunning, Exception cause) {
    if (!wasRunning) {
      return "it is as it was";
    }
    try {
      engine.start(target.id().value());
      return "it runs with the state it had";
    } catch (IOException e) {
      cause.addSuppressed(e);
      return "it is stopped, with the state it had";
    }
  }
}
