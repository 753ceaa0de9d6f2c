package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Fences;
import dev.regen.runtime.oci.Fences.Fence;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A move, at the host that a queue leaves. The fence comes first: from then on nothing of the queue
 * begins to run here, whatever becomes of this agent, until the move is taken back.
 */
public final class QueueDeparture {
  private static final int LOOK_MILLIS = 100;

  /** The engine has killed what did not stop long before. */
  private static final long STOP_NANOS_MAX = 300_000_000_000L;

  private final Engine engine;
  private final Targets targets;
  private final Fences fences;
  private final SnapshotQueues queues;
  private final SpoolDrain drain;
  private final ToStores toStores;
  private final ContainerRestore restore;
  private final QueueArrival arrival;
  private final Events events;
  private final InstantSource clock;

  /**
   * What was asked for.
   *
   * @param move its name; the same again goes on with what broke off
   * @param to where the queue goes, for people
   * @param leaveVolumes whether volumes and directories of the host that the container uses may
   *     stay behind
   */
  public record Request(QueueName queue, String move, String to, boolean leaveVolumes) {}

  public QueueDeparture(
      Engine engine,
      Targets targets,
      Fences fences,
      SnapshotQueues queues,
      SpoolDrain drain,
      ToStores toStores,
      ContainerRestore restore,
      QueueArrival arrival,
      Events events,
      InstantSource clock) {
    this.engine = engine;
    this.targets = targets;
    this.fences = fences;
    this.queues = queues;
    this.drain = drain;
    this.toStores = toStores;
    this.restore = restore;
    this.arrival = arrival;
    this.events = events;
    this.clock = clock;
  }

  /**
   * Fences the queue, stops its container, and sends its last state to a store. Where this fails
   * the fence stays: {@link #stay} takes it back.
   *
   * @return as a push, and {@code container}, whether there was one, and {@code running}, whether
   *     it ran
   * @throws RegenException.Refused if it cannot be fenced; nothing is changed then
   */
  public JsonObject leave(Request request, StoreUrl store, Job job)
      throws IOException, InterruptedException {
    QueueName queue = request.queue();
    Fence fence = fences.find(queue);
    if (fence == null || fence.lifted()) {
      List<Target> all = targets.of(queue);
      if (all.isEmpty() && !queues.exists(queue)) {
        throw new RegenException.NotFound(
            "no container and no queue '" + queue + "'; 'regen ls' lists the queues");
      }
      check(all, request);
      Target first = all.isEmpty() ? null : all.getFirst();
      fence =
          new Fence(
              request.move(),
              request.to(),
              clock.instant().truncatedTo(ChronoUnit.MILLIS),
              first == null ? null : first.id().value(),
              first != null && first.running(),
              false);
      fences.set(queue, fence);
      arrival.forget(queue);
    } else if (!fence.move().equals(request.move())) {
      throw new RegenException.Refused("queue " + queue + " has moved to " + fence.to());
    }
    job.step("stopping what runs");
    fence = stop(queue, fence, job);
    JsonObject pushed = toStores.push(store, queue, "latest", true, job);
    events.tell(
        Event.Kind.MOVED,
        queue.value(),
        "it leaves for " + request.to() + ": " + pushed.string("message"));
    return pushed.with("container", fence.container() != null).with("running", fence.running());
  }

  private static void check(List<Target> all, Request request) throws IOException {
    for (Target target : all) {
      if (!target.underExtension()) {
        throw new RegenException.Refused(
            target.words()
                + " runs under plain runc, where nobody can keep it from being started here again;"
                + " create it with --runtime=regen");
      }
      List<String> mounts = mounts(target);
      if (!mounts.isEmpty() && !request.leaveVolumes()) {
        throw new RegenException.Refused(
            target.words()
                + " uses what does not move with it: "
                + String.join(", ", mounts)
                + "; with --leave-volumes it starts there with what that host has at these places");
      }
    }
  }

  private static List<String> mounts(Target target) throws IOException {
    List<String> mounts = new ArrayList<>();
    if (target.inspected().has("Mounts")) {
      for (JsonObject mount : target.inspected().objects("Mounts")) {
        if (!"tmpfs".equals(mount.stringOrNull("Type"))) {
          mounts.add(mount.string("Type") + " at " + mount.string("Destination"));
        }
      }
    }
    return mounts;
  }

  /** A start that came before the fence may still be on its way. */
  private Fence stop(QueueName queue, Fence fence, Job job)
      throws IOException, InterruptedException {
    Fence known = fence;
    long begin = System.nanoTime();
    while (true) {
      job.checkCancelled();
      Optional<Target> running = running(queue);
      if (running.isPresent()) {
        String id = running.get().id().value();
        if (!known.running() || !id.equals(known.container())) {
          known = new Fence(known.move(), known.to(), known.at(), id, true, false);
          fences.set(queue, known);
        }
        engine.stop(id);
      } else if (!fences.isInUse(queue)) {
        break;
      }
      if (System.nanoTime() - begin > STOP_NANOS_MAX) {
        throw new RegenException.Refused("the container of queue " + queue + " does not end");
      }
      Thread.sleep(LOOK_MILLIS);
    }
    job.step("waiting for what is being archived");
    drain.awaitArchived(queue, job);
    return known;
  }

  private Optional<Target> running(QueueName queue) throws IOException {
    List<Target> all = targets.of(queue);
    return all.isEmpty() || !all.getFirst().running()
        ? Optional.empty()
        : Optional.of(all.getFirst());
  }

  /**
   * Takes a departure back: the queue may run here again, and its container does if it did. Only
   * for who knows that it runs nowhere else.
   *
   * @param move null for whichever it was
   * @return {@code message}, for a person
   * @throws RegenException.Refused if another move has fenced the queue
   */
  public JsonObject stay(QueueName queue, @Nullable String move, Job job)
      throws IOException, InterruptedException {
    Fence fence = fences.find(queue);
    if (fence == null) {
      return new JsonObject().with("message", "queue " + queue + " has not moved from here");
    }
    if (move != null && !move.equals(fence.move())) {
      throw new RegenException.Refused(
          "queue " + queue + " has moved to " + fence.to() + " by another move");
    }
    if (!fence.lifted()) {
      fences.set(queue, fence.asLifted());
    }
    String started = fence.running() ? "; " + startAgain(queue, fence, job) : "";
    fences.remove(queue);
    String message = "queue " + queue + " stays here" + started;
    events.tell(Event.Kind.MOVED, queue.value(), message);
    return new JsonObject().with("message", message);
  }

  private String startAgain(QueueName queue, Fence fence, Job job)
      throws IOException, InterruptedException {
    job.step("starting its container again");
    drain.awaitArchived(queue, job);
    String id = fence.container();
    Optional<JsonObject> left = id == null ? Optional.empty() : engine.container(id);
    if (left.isEmpty()) {
      return restore.createAgain(queue, "latest", true, job);
    }
    try {
      engine.start(left.get().string("Id"));
    } catch (EngineException.Refused e) {
      throw new RegenException.Refused(
          "queue " + queue + " may run here again, but its container does not: " + e.getMessage());
    }
    return "its container runs again";
  }
}
