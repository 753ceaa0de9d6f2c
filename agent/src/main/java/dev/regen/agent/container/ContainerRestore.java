package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Brings a container back to a snapshot. Nothing is lost if it fails: the present state was
 * captured before, and the message says how the container was left.
 */
public final class ContainerRestore {
  private static final Duration ARCHIVE_LIMIT = Duration.ofHours(6);

  /**
   * What was asked for.
   *
   * @param at the snapshot's address, as {@code latest}
   * @param start whether a kept container is to run afterwards
   * @param discard whether the state of a stopped container may be lost
   */
  public record Request(String name, String at, boolean start, boolean discard) {}

  private final Engine engine;
  private final Targets targets;
  private final KnownContainers containers;
  private final ContainerCapture capture;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final HotTrees hotTrees;
  private final Stores stores;
  private final SpoolDrain drain;
  private final Events events;

  public ContainerRestore(
      Engine engine,
      Targets targets,
      KnownContainers containers,
      ContainerCapture capture,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      HotTrees hotTrees,
      Stores stores,
      SpoolDrain drain,
      Events events) {
    this.engine = engine;
    this.targets = targets;
    this.containers = containers;
    this.capture = capture;
    this.queues = queues;
    this.snapshots = snapshots;
    this.hotTrees = hotTrees;
    this.stores = stores;
    this.drain = drain;
    this.events = events;
  }

  /**
   * Does it.
   *
   * @return {@code message}, for a person
   * @throws RegenException.Refused if the container's state does not allow it; nothing is changed
   */
  public JsonObject restore(Request request, Job job) throws IOException, InterruptedException {
    Optional<Target> found = find(request.name());
    QueueName queue = queueOf(request.name(), found);
    refuseWhereItRuns(request, found);
    job.step("waiting for what is being archived");
    awaitArchived(queue);
    Snapshot snapshot = choose(queue, request.at());
    String message;
    if (found.isPresent() && !found.get().autoRemove() && found.get().known() != null) {
      message = inPlace(found.get(), queue, snapshot, request, job);
    } else {
      message = forNextRun(queue, snapshot, found, request, job);
    }
    events.tell(Event.Kind.RESTORED, queue.value(), message);
    return new JsonObject()
        .with("message", message)
        .with("queue", queue.value())
        .with("snapshot", snapshot.id().value());
  }

  /** An engine that is away leaves what needs no engine: the choice for the next run. */
  private Optional<Target> find(String name) throws IOException {
    try {
      return targets.find(name);
    } catch (EngineException.Away e) {
      if (QueueName.isValid(name) && queues.exists(new QueueName(name)) && !isKnown(name)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private boolean isKnown(String name) throws IOException {
    return containers.list().stream()
        .anyMatch(known -> known.name().equals(name) || known.queue().value().equals(name));
  }

  private QueueName queueOf(String name, Optional<Target> found) throws IOException {
    if (found.isPresent() && found.get().queue() != null) {
      return found.get().queue();
    }
    if (QueueName.isValid(name) && queues.exists(new QueueName(name))) {
      return new QueueName(name);
    }
    if (found.isPresent()) {
      throw new RegenException.NotFound(
          "container " + name + " has no queue: it never ended under regen-runtime");
    }
    throw new RegenException.NotFound(
        "no container and no queue '" + name + "'; 'regen ls' lists the queues");
  }

  private static void refuseWhereItRuns(Request request, Optional<Target> found)
      throws IOException {
    if (found.isEmpty()) {
      return;
    }
    Target target = found.get();
    if (target.running() && target.autoRemove()) {
      throw new RegenException.Refused(
          "container "
              + target.name()
              + " is running with --rm; stop it first ('docker stop "
              + target.name()
              + "'), then restore, then run it again");
    }
    if (target.running() && target.known() == null) {
      throw new RegenException.Refused(
          "container "
              + target.name()
              + " runs under plain runc, where its layer cannot be exchanged; remove it and restore"
              + " its queue, or run it with --runtime=regen");
    }
    if (request.discard() && target.running()) {
      throw new RegenException.Refused(
          "container "
              + target.name()
              + " is running, and what it leaves is always kept; stop it first, or leave --discard"
              + " away");
    }
  }

  /** What is chosen cannot leave the queue while this works. */
  private Snapshot choose(QueueName name, String at) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      Snapshot snapshot = snapshots.read(queue.find(at).id());
      queue.choose(snapshot.id());
      return snapshot;
    }
  }

  private void unchoose(QueueName name, SnapshotId id) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      if (id.equals(queue.chosen())) {
        queue.choose(null);
      }
    }
  }

  private String inPlace(
      Target target, QueueName queue, Snapshot snapshot, Request request, Job job)
      throws IOException, InterruptedException {
    boolean wasRunning = target.running();
    boolean exchanged = false;
    try {
      keepPresentState(target, queue, request, wasRunning, job);
      exchange(target, snapshot, job);
      exchanged = true;
      unchoose(queue, snapshot.id());
      if (!request.start()) {
        return named(target) + " is back at " + words(snapshot) + " and stopped";
      }
      job.step("starting " + target.name());
      engine.start(target.id().value());
      return named(target) + " is back at " + words(snapshot) + " and runs";
    } catch (IOException e) {
      throw undone(target, queue, snapshot, wasRunning, exchanged, e);
    }
  }

  private void keepPresentState(
      Target target, QueueName queue, Request request, boolean wasRunning, Job job)
      throws IOException, InterruptedException {
    if (wasRunning) {
      job.step("stopping " + target.name());
      engine.stop(target.id().value());
      drain.look();
      job.step("capturing the present state");
      awaitArchived(queue);
    } else if (!request.discard()) {
      capture.stopped(target, job);
    }
  }

  private void exchange(Target target, Snapshot snapshot, Job job) throws IOException {
    KnownContainers.Known known = targets.again(target).known();
    if (known == null) {
      throw new RegenException.Refused("container " + target.name() + " was removed meanwhile");
    }
    job.step("unpacking " + snapshot.id().shortened());
    Path tree =
        hotTrees.prepare(snapshot, Staging.of(known.upper()), known.uidMap(), known.gidMap(), job);
    job.step("exchanging the layer of " + target.name());
    containers.replaceUpper(known.id(), tree);
  }

  /** The container as it was, where that can be had; the message says what is. */
  private RegenException undone(
      Target target,
      QueueName queue,
      Snapshot snapshot,
      boolean wasRunning,
      boolean exchanged,
      IOException cause) {
    String state;
    try {
      unchoose(queue, snapshot.id());
      if (exchanged) {
        state = "its layer is that of " + words(snapshot) + ", but it could not be started";
      } else if (wasRunning) {
        engine.start(target.id().value());
        state = "it was started again with the state it had";
      } else {
        state = "it is as it was";
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
      state = "it is stopped, with the state it had";
    }
    RegenException.Refused failure =
        new RegenException.Refused(
            named(target) + " was not restored: " + cause.getMessage() + "; " + state);
    failure.initCause(cause);
    return failure;
  }

  private String forNextRun(
      QueueName queue, Snapshot snapshot, Optional<Target> found, Request request, Job job)
      throws IOException {
    prepare(snapshot, job);
    String next = "the next run of queue " + queue + " starts from " + words(snapshot);
    JsonObject host = member(snapshot.spec(), "hostConfig");
    JsonObject config = member(snapshot.spec(), "config");
    if (found.isPresent() || config == null || host == null || host.flag("AutoRemove")) {
      return next;
    }
    return createAgain(queue, snapshot, config, host, request.start(), job);
  }

  private String createAgain(
      QueueName queue,
      Snapshot snapshot,
      JsonObject config,
      JsonObject host,
      boolean start,
      Job job)
      throws IOException {
    String slashed = snapshot.spec().stringOrNull("name");
    String name = slashed == null ? queue.value() : slashed.replaceFirst("^/", "");
    job.step("creating container " + name + " again");
    JsonObject body = new JsonObject();
    config.members().forEach(body::with);
    // The image by its id: its name may mean another one by now.
    if (!snapshot.imageId().isEmpty()) {
      body.with("Image", snapshot.imageId());
    }
    String id;
    try {
      id = engine.create(name, body.with("HostConfig", host));
    } catch (EngineException e) {
      throw new RegenException.Refused(
          "container "
              + name
              + " could not be created again ("
              + e.getMessage()
              + "); when you create it yourself, its first start takes "
              + words(snapshot));
    }
    if (!start) {
      return "container " + name + " was created again; its first start takes " + words(snapshot);
    }
    engine.start(id);
    return "container " + name + " was created again and runs from " + words(snapshot);
  }

  /** Where one store is known the tree is made ready there; otherwise the start does it. */
  private void prepare(Snapshot snapshot, Job job) throws IOException {
    List<Staging> all = stores.all();
    if (all.size() == 1) {
      job.step("unpacking " + snapshot.id().shortened());
      hotTrees.prepare(snapshot, all.getFirst(), List.of(), List.of(), job);
    }
  }

  private void awaitArchived(QueueName queue) throws IOException, InterruptedException {
    if (!drain.awaitArchivedOrFailed(queue, ARCHIVE_LIMIT)) {
      throw new RegenException.Refused(
          "the last state of queue '" + queue + "' is not archived yet; see 'regen jobs'");
    }
  }

  private static @Nullable JsonObject member(JsonObject json, String name) {
    return json.members().get(name) instanceof JsonObject inner ? inner : null;
  }

  private static String named(Target target) {
    return "container " + target.name();
  }

  private static String words(Snapshot snapshot) {
    return "snapshot " + snapshot.id().shortened() + " of " + snapshot.time();
  }
}
