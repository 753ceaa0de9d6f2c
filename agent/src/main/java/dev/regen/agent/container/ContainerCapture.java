package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.LayerIntake;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.ContainerId;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.ChangedSince;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.CaptureResult;
import dev.regen.snapshot.capture.Captures;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures a container because somebody asked for it.
 *
 * <p>A running one is paused while its upper is read where it is. What it had written is written
 * out first: only then does a later write through a mapping move a file's ctime, by which the next
 * capture knows what has changed. It is always let go on: if the agent dies meanwhile, a mark on
 * the disk makes the next one do it. If somebody else lets it go on meanwhile, and it writes, the
 * snapshot is inconsistent.
 */
public final class ContainerCapture {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerCapture.class);
  private static final Duration ARCHIVE_LIMIT = Duration.ofHours(6);
  private static final long LOOK_MILLIS = 500;
  private static final End BY_HAND = new End(End.Reason.CAPTURED, null, End.Good.UNKNOWN, null);

  private final Engine engine;
  private final Targets targets;
  private final KnownContainers containers;
  private final PlainLayers plain;
  private final Captures captures;
  private final SpoolDrain drain;
  private final Events events;
  private final Disk disk;
  private final Path marks;
  private final InstantSource clock;

  /** What is captured now; guards itself. */
  private final Set<ContainerId> atWork = new HashSet<>();

  public ContainerCapture(
      Engine engine,
      Targets targets,
      KnownContainers containers,
      PlainLayers plain,
      Captures captures,
      SpoolDrain drain,
      Events events,
      Disk disk,
      Path home,
      InstantSource clock) {
    this.engine = engine;
    this.targets = targets;
    this.containers = containers;
    this.plain = plain;
    this.captures = captures;
    this.drain = drain;
    this.events = events;
    this.disk = disk;
    this.marks = home.resolve("paused");
    this.clock = clock;
  }

  /**
   * Captures the container that {@code name} names.
   *
   * @return {@code message}, for a person
   */
  public JsonObject capture(String name, Job job) throws IOException, InterruptedException {
    ContainerId id = found(name).id();
    enter(id, job);
    try {
      Target target = found(id.value());
      targets.refuseElsewhere(target);
      String message = target.running() ? running(target, job) : stopped(target, job);
      return new JsonObject().with("message", message);
    } finally {
      leave(id);
    }
  }

  private Target found(String name) throws IOException {
    return targets
        .find(name)
        .orElseThrow(() -> new RegenException.NotFound("no container '" + name + "'"));
  }

  /**
   * Waits until nobody else captures it: of two at once, the second would take the first one's
   * pause for its user's, or end it too early.
   */
  private void enter(ContainerId id, Job job) throws InterruptedException {
    synchronized (atWork) {
      while (!atWork.add(id)) {
        job.checkCancelled();
        job.step("waiting for another capture of this container");
        atWork.wait(LOOK_MILLIS);
      }
    }
  }

  private void leave(ContainerId id) {
    synchronized (atWork) {
      atWork.remove(id);
      atWork.notifyAll();
    }
  }

  /** Captures a container that has ended, unless its queue holds that state already. */
  String stopped(Target target, Job job) throws IOException, InterruptedException {
    job.step("capturing the present state");
    awaitArchived(target);
    Instant now = now();
    FrozenLayer layer;
    if (target.known() != null) {
      layer = containers.freezeStopped(target.id(), now);
    } else {
      layer = plain.link(target, upperOf(target), now);
    }
    drain.endIsKnown(layer.job(), BY_HAND);
    awaitArchived(target);
    return "container " + target.name() + " is captured in queue " + layer.queue();
  }

  /** Puts the layer of a container under plain runc into the spool that was just stopped. */
  void stoppedByUs(Target target) throws IOException {
    FrozenLayer layer = plain.link(target, upperOf(target), now());
    Long exitCode = target.inspected().object("State").numberOr("ExitCode", 0);
    drain.endIsKnown(
        layer.job(), new End(End.Reason.STOPPED, Math.toIntExact(exitCode), End.Good.YES, null));
    plain.passOver(target.id(), layer.endedAt());
    drain.look();
  }

  /** Lets containers go on that an agent before this one had paused. */
  public void unpauseForgotten() throws IOException {
    for (Path mark : disk.list(marks)) {
      String id = String.valueOf(mark.getFileName());
      try {
        if (!id.startsWith(Records.UNFINISHED)) {
          engine.unpause(id);
          events.tell(
              Event.Kind.UNPAUSED, null, "container " + id + " was paused for a capture that died");
        }
      } catch (EngineException.Refused e) {
        LOG.info("container {} is not paused any more: {}", id, e.getMessage());
      }
      new Records(disk).remove(mark);
    }
  }

  private String running(Target target, Job job) throws IOException {
    job.step("pausing " + target.name());
    Path mark = marks.resolve(target.id().value());
    boolean pausedBefore = target.paused();
    if (!pausedBefore) {
      new Records(disk).makeDirectory(marks);
      new Records(disk).replace(mark, new byte[0]);
      writeOut(plain.upper(target)); // So that little is left to be written while it is paused.
    }
    try {
      if (!pausedBefore) {
        engine.pause(target.id().value());
      }
      job.step("capturing " + target.name() + ", which is paused");
      FrozenLayer layer =
          target.known() != null
              ? containers.inPlace(target.id(), now())
              : plain.inPlace(target, upperOf(target), now());
      try {
        writeOut(layer.tree());
        Instant begun = clock.instant();
        CaptureResult result =
            captures.capture(layer, () -> end(target, layer, begun), job, job::cancelled);
        return LayerIntake.tell(events, layer, result);
      } finally {
        captures.removals().collect();
        containers.letGo(layer);
      }
    } finally {
      if (!pausedBefore) {
        unpause(target, mark);
      }
    }
  }

  private void writeOut(@Nullable Path tree) throws IOException {
    if (tree != null && plain.isSeen(tree)) {
      disk.forceFileSystem(tree);
    }
  }

  private End end(Target target, FrozenLayer layer, Instant begun) throws IOException {
    boolean changed = !hasStayed(target) && ChangedSince.byCtime(layer.tree(), Stat.Time.of(begun));
    return changed ? BY_HAND.asInconsistent() : BY_HAND;
  }

  /** Whether the container is still paused, and in the same run. */
  private boolean hasStayed(Target target) throws IOException {
    try {
      Optional<Target> now = targets.find(target.id().value());
      return now.isPresent()
          && now.get().paused()
          && Objects.equals(now.get().startedAt(), target.startedAt());
    } catch (EngineException.Away e) {
      return false;
    }
  }

  private void unpause(Target target, Path mark) throws IOException {
    try {
      engine.unpause(target.id().value());
    } catch (EngineException.Refused e) {
      LOG.info("container {} is not paused: {}", target.name(), e.getMessage());
    }
    new Records(disk).remove(mark);
  }

  private void awaitArchived(Target target) throws IOException, InterruptedException {
    drain.look();
    if (target.queue() != null && !drain.awaitArchivedOrFailed(target.queue(), ARCHIVE_LIMIT)) {
      throw new RegenException.Refused(
          "the last state of queue '" + target.queue() + "' is not archived yet; see 'regen jobs'");
    }
  }

  private Path upperOf(Target target) throws IOException {
    Path upper = plain.upper(target);
    if (upper == null) {
      throw new RegenException.Refused(
          "the writable layer of container "
              + target.name()
              + " was not found; run it with --runtime=regen");
    }
    return upper;
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }
}
