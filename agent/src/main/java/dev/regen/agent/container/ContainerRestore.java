package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.Count;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Fences;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.capture.Checks;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Brings a container back to a snapshot. Nothing is lost if it fails: the present state was
 * captured before, and the message says how the container was left.
 */
public final class ContainerRestore {
  /**
   * What was asked for.
   *
   * @param at the snapshot's address, as {@code latest}
   * @param start whether a kept container is to run afterwards
   * @param discard whether the present state may be lost
   * @param orOlder whether an older snapshot will do where that one is damaged
   */
  public record Request(String name, String at, boolean start, boolean discard, boolean orOlder) {}

  private final Engine engine;
  private final Targets targets;
  private final KnownContainers containers;
  private final InPlaceRestore inPlace;
  private final SpoolDrain drain;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Arrivals arrivals;
  private final Checks checks;
  private final NextRun nextRun;
  private final Fences fences;
  private final Events events;

  public ContainerRestore(
      Engine engine,
      Targets targets,
      KnownContainers containers,
      InPlaceRestore inPlace,
      SpoolDrain drain,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Arrivals arrivals,
      Checks checks,
      NextRun nextRun,
      Fences fences,
      Events events) {
    this.engine = engine;
    this.targets = targets;
    this.containers = containers;
    this.inPlace = inPlace;
    this.drain = drain;
    this.queues = queues;
    this.snapshots = snapshots;
    this.arrivals = arrivals;
    this.checks = checks;
    this.nextRun = nextRun;
    this.fences = fences;
    this.events = events;
  }

  /**
   * Does it.
   *
   * @return {@code message}, for a person
   * @throws RegenException.Refused if the container's state does not allow it; nothing is changed
   */
  public JsonObject restore(Request request, Job job) throws IOException, InterruptedException {
    Optional<Target> named = find(request.name());
    QueueName queue = queueOf(request.name(), named);
    refuseBehindFence(queue);
    refuseWhereItRuns(named);
    if (named.isPresent() && !named.get().autoRemove()) {
      targets.refuseElsewhere(named.get());
    }
    job.step("waiting for what is being archived");
    drain.awaitArchived(queue, job);
    SnapshotId before = queues.look(queue).chosen();
    Snapshot snapshot =
        choose(queue, request.orOlder() ? newestWhole(queue, request.at(), job) : request.at());
    String message;
    try {
      Optional<Target> found = named.isPresent() ? named : byRecordedName(queue, snapshot);
      refuseWhereItRuns(found);
      if (found.isPresent() && !found.get().autoRemove() && found.get().keepsItsUpper()) {
        if (found.get().running() && !request.orOlder()) {
          requireWhole(snapshot, job);
        }
        message = inPlace.restore(found.get(), queue, snapshot, request, job);
        unchoose(queue, snapshot.id(), null);
      } else {
        message = forNextRun(queue, snapshot, found, request, job);
      }
    } catch (IOException | CancellationException e) {
      unchoose(queue, snapshot.id(), before);
      throw e;
    }
    events.tell(Event.Kind.RESTORED, queue.value(), message);
    return new JsonObject()
        .with("message", message)
        .with("queue", queue.value())
        .with("snapshot", snapshot.id().value());
  }

  /**
   * As above, of a snapshot that is fetched from a store first, into the container's queue.
   *
   * @param url the store; {@link Request#at} is an address there
   * @param patience as {@link FromStore.Request} has it
   * @return also {@code troubles}, what the store had of them
   */
  public JsonObject restore(
      Request request, FromStore store, StoreUrl url, @Nullable Duration patience, Job job)
      throws IOException, InterruptedException {
    Optional<Target> named = findToFetch(request.name());
    refuseWhereItRuns(named);
    QueueName queue = queueToFetch(request.name(), named);
    refuseBehindFence(queue);
    FromStore.Request wanted = new FromStore.Request(url, queue, request.at(), patience, true);
    wanted.check();
    JsonObject fetched = store.fetch(wanted, job);
    Request here =
        new Request(
            request.name(),
            fetched.string("snapshot"),
            request.start(),
            request.discard(),
            request.orOlder());
    JsonObject restored = restore(here, job);
    String message =
        fetched.number("chunks")
            + " of "
            + Count.of(fetched.number("totalChunks"), "chunk")
            + " fetched; "
            + restored.string("message");
    return restored.with("message", message).with("troubles", fetched.strings("troubles"));
  }

  /**
   * Creates the container that a snapshot was taken of, where there is none; one that ran with
   * {@code --rm} too.
   *
   * @return what was done, for a person
   * @throws RegenException.Refused if the snapshot does not tell of one, or the engine refuses it
   * @throws RegenException if its key is missing here
   */
  String createAgain(QueueName queue, String at, boolean start, Job job)
      throws IOException, InterruptedException {
    SnapshotId before = queues.look(queue).chosen();
    Snapshot snapshot = choose(queue, at);
    try {
      JsonObject host = member(snapshot.spec(), "hostConfig");
      JsonObject config = member(snapshot.spec(), "config");
      if (host == null || config == null) {
        throw new RegenException.Refused(snapshot.words() + " does not tell of its container");
      }
      // It would start without its state, as it is told to where a key is missing.
      nextRun.prepare(snapshot.unlocked(), job);
      return createAgain(queue, snapshot, config, host, start, job);
    } catch (IOException | CancellationException e) {
      unchoose(queue, snapshot.id(), before);
      throw e;
    }
  }

  /** The queue need not be here yet. */
  private Optional<Target> findToFetch(String name) throws IOException {
    try {
      return targets.find(name);
    } catch (EngineException.Away e) {
      if (QueueName.isValid(name) && !isKnown(name)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static QueueName queueToFetch(String name, Optional<Target> found) throws IOException {
    QueueName own = found.isPresent() ? found.get().queue() : null;
    if (own == null && !QueueName.isValid(name)) {
      throw new RegenException.Misuse("'" + name + "' is no name of a queue");
    }
    return own == null ? new QueueName(name) : own;
  }

  /** An engine that is away leaves what needs no engine: the choice for the next run. */
  private Optional<Target> find(String name) throws IOException {
    try {
      return targets.find(name);
    } catch (EngineException.Away e) {
      if (isQueue(name) && !isKnown(name)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Or will be one, when what arrives has arrived. */
  private boolean isQueue(String name) throws IOException {
    return QueueName.isValid(name)
        && (queues.exists(new QueueName(name))
            || !arrivals.uploading(new QueueName(name)).isEmpty());
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
    if (QueueName.isValid(name) && !arrivals.uploading(new QueueName(name)).isEmpty()) {
      arrivals.find(new QueueName(name), "latest");
    }
    if (found.isPresent()) {
      throw new RegenException.NotFound(
          "container " + name + " has no queue: it never ended under regen-runtime");
    }
    throw new RegenException.NotFound(
        "no container and no queue '" + name + "'; 'regen ls' lists the queues");
  }

  /** Its state would be put back, and its start refused. */
  private void refuseBehindFence(QueueName queue) throws IOException {
    String refusal = fences.refusal(queue);
    if (refusal != null) {
      throw new RegenException.Refused(refusal);
    }
  }

  private static void refuseWhereItRuns(Optional<Target> found) throws IOException {
    if (found.isPresent() && found.get().running() && found.get().autoRemove()) {
      String name = found.get().name();
      throw new RegenException.Refused(
          "container "
              + name
              + " is running with --rm; stop it first ('docker stop "
              + name
              + "'), then restore, then run it again");
    }
  }

  /** A container under plain runc is not found by its queue, but by the name it had. */
  private Optional<Target> byRecordedName(QueueName queue, Snapshot snapshot) throws IOException {
    String slashed = snapshot.spec().stringOrNull("name");
    if (slashed == null || slashed.length() < 2) {
      return Optional.empty();
    }
    try {
      return targets.find(slashed.substring(1)).filter(target -> queue.equals(target.queue()));
    } catch (EngineException.Away e) {
      return Optional.empty();
    }
  }

  /** The address of the newest snapshot that is whole, from {@code at} on backwards. */
  private String newestWhole(QueueName name, String at, Job job) throws IOException {
    List<Element> elements;
    int index;
    try (SnapshotQueue queue = queues.open(name)) {
      elements = queue.elements();
      index = elements.indexOf(queue.find(at));
    }
    for (; index >= 0; index--) {
      SnapshotId id = elements.get(index).id();
      job.step("reading snapshot " + id.shortened());
      if (checks.isWhole(id)) {
        return id.value();
      }
    }
    throw new RegenException.Refused(
        "no snapshot of queue "
            + name
            + " is whole from "
            + at
            + " on; 'regen verify "
            + name
            + "' says what each lacks");
  }

  /** What runs is not stopped for a snapshot that cannot be read. */
  private void requireWhole(Snapshot snapshot, Job job) throws IOException {
    job.step("reading snapshot " + snapshot.id().shortened());
    if (!checks.isWhole(snapshot.unlocked().id())) {
      throw new RegenException.Damaged(
          snapshot.words()
              + " is damaged; nothing is changed. 'regen verify "
              + snapshot.queue()
              + " --repair' mends what can be mended, and 'regen restore --or-older' takes the"
              + " newest one before it that is whole");
    }
  }

  /** What is chosen cannot leave the queue while this works. */
  private Snapshot choose(QueueName name, String at) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      Snapshot snapshot = snapshots.read(queue.find(at).id());
      queue.choose(snapshot.id());
      return snapshot;
    } catch (RegenException.NotFound e) {
      arrivals.find(name, at); // It may be on its way.
      throw e;
    }
  }

  private void unchoose(QueueName name, SnapshotId id, @Nullable SnapshotId before)
      throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      if (id.equals(queue.chosen())) {
        boolean still = before != null && queue.content().element(before).isPresent();
        queue.choose(still ? before : null);
      }
    }
  }

  private String forNextRun(
      QueueName queue, Snapshot snapshot, Optional<Target> found, Request request, Job job)
      throws IOException, InterruptedException {
    JsonObject host = member(snapshot.spec(), "hostConfig");
    JsonObject config = member(snapshot.spec(), "config");
    nextRun.prepare(snapshot, job);
    String next = "the next run of queue " + queue + " starts from " + snapshot.words();
    if (found.isPresent() || config == null || host == null || host.flag("AutoRemove")) {
      if (queues.look(queue).tail().filter(tail -> tail.id().equals(snapshot.id())).isPresent()) {
        // It would start from there by itself: so a choice is taken back.
        unchoose(queue, snapshot.id(), null);
      }
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
      throws IOException, InterruptedException {
    String slashed = snapshot.spec().stringOrNull("name");
    String name = slashed == null ? queue.value() : slashed.replaceFirst("^/", "");
    job.step("creating container " + name + " again");
    JsonObject body = new JsonObject();
    config.members().forEach(body::with);
    if (!snapshot.imageId().isEmpty()) {
      body.with("Image", image(snapshot));
    }
    String id;
    try {
      id = engine.create(name, body.with("HostConfig", host));
    } catch (EngineException e) {
      throw new RegenException.Refused(
          "container "
              + name
              + " could not be created again ("
              + Why.of(e)
              + "); when you create it yourself, its first start takes "
              + snapshot.words());
    }
    if (!"regen".equals(host.stringOrNull("Runtime"))) {
      fill(id, name, queue, snapshot, job);
    }
    if (!start) {
      return "container " + name + " was created again; its first start takes " + snapshot.words();
    }
    engine.start(id);
    return "container " + name + " was created again and runs from " + snapshot.words();
  }

  /** The name that the run knew it by, where that means the same image still; else its id. */
  private String image(Snapshot snapshot) throws IOException {
    String name = snapshot.imageName();
    Optional<JsonObject> named = name.isEmpty() ? Optional.empty() : engine.imageNamed(name);
    return named.isPresent() && snapshot.imageId().equals(named.get().stringOrNull("Id"))
        ? name
        : snapshot.imageId();
  }

  /** Under plain runc nobody takes the queue's choice at a start; so the layer is put in now. */
  private void fill(String id, String name, QueueName queue, Snapshot snapshot, Job job)
      throws IOException, InterruptedException {
    try {
      Target created =
          targets
              .find(id)
              .orElseThrow(() -> new RegenException.Refused("it was removed meanwhile"));
      inPlace.fill(created, snapshot, job);
    } catch (IOException e) {
      RegenException.Refused failure =
          new RegenException.Refused(
              "container "
                  + name
                  + " was created again, but empty ('docker rm "
                  + name
                  + "' removes it): "
                  + Why.of(e));
      failure.initCause(e);
      throw failure;
    }
    unchoose(queue, snapshot.id(), null);
  }

  private static @Nullable JsonObject member(JsonObject json, String name) {
    return json.members().get(name) instanceof JsonObject inner ? inner : null;
  }
}
