package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Fences;
import dev.regen.runtime.oci.Fences.Fence;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A move, at the host where a queue comes to. What was here before is noted to last before anything
 * is changed, so that an arrival which fails, or an agent that dies, can be taken back.
 */
public final class QueueArrival {
  private static final Logger LOG = LoggerFactory.getLogger(QueueArrival.class);
  private static final int BYTES_MAX = 64 << 10;

  private final Engine engine;
  private final Targets targets;
  private final Fences fences;
  private final FromStore fromStore;
  private final ContainerRestore restore;
  private final Events events;
  private final Disk disk;
  private final Path directory;

  /**
   * What was asked for.
   *
   * @param move its name; the same again goes on with what broke off, or finds it done
   * @param snapshot the id of the state to go on from
   * @param container whether a container is to be made of it
   * @param start whether that is to run
   */
  public record Request(
      QueueName queue, String move, String snapshot, boolean container, boolean start) {}

  /**
   * What was here before a move.
   *
   * @param fence of the queue's own departure, null for none
   * @param container whether there was one
   */
  private record Before(String move, @Nullable Fence fence, boolean container) {}

  public QueueArrival(
      Engine engine,
      Targets targets,
      Fences fences,
      FromStore fromStore,
      ContainerRestore restore,
      Events events,
      Disk disk,
      Path home) {
    this.engine = engine;
    this.targets = targets;
    this.fences = fences;
    this.fromStore = fromStore;
    this.restore = restore;
    this.events = events;
    this.disk = disk;
    this.directory = home.resolve("entered");
  }

  /**
   * Fetches a state, and has its container go on from it. Where this fails nothing of the queue
   * runs here, and its fence is as it was.
   *
   * @return {@code message}, for a person
   * @throws RegenException.Refused if something of the queue runs here already
   */
  public JsonObject enter(Request request, StoreUrl store, Job job)
      throws IOException, InterruptedException {
    QueueName queue = request.queue();
    Before before = find(queue);
    if (before != null && before.move().equals(request.move())) {
      if (fences.isInUse(queue)) {
        return new JsonObject().with("message", "queue " + queue + " runs here already");
      }
    } else {
      before = begin(request);
    }
    try {
      String message = arrive(request, before, store, job);
      events.tell(Event.Kind.MOVED, queue.value(), "it has come here: " + message);
      return new JsonObject().with("message", message).with("snapshot", request.snapshot());
    } catch (IOException | CancellationException e) {
      try {
        takeBack(queue, before);
      } catch (IOException also) {
        e.addSuppressed(also);
        LOG.warn("the arrival of queue {} was not taken back: {}", queue, Why.of(also));
      }
      throw e;
    }
  }

  private Before begin(Request request) throws IOException {
    QueueName queue = request.queue();
    List<Target> all = targets.of(queue);
    if (fences.isInUse(queue) || (!all.isEmpty() && all.getFirst().running())) {
      throw new RegenException.Refused(
          "queue " + queue + " runs here already, as " + all.getFirst().words());
    }
    for (Target target : all) {
      if (target.known() == null) {
        throw new RegenException.Refused(
            target.words()
                + " is here, with the queue's name or label, and has never run; remove it, or give"
                + " it another label regen.queue");
      }
    }
    Before before = new Before(request.move(), fences.find(queue), !all.isEmpty());
    new Records(disk).makeDirectory(directory);
    new Records(disk).replace(file(queue), bytes(before));
    return before;
  }

  private String arrive(Request request, Before before, StoreUrl store, Job job)
      throws IOException, InterruptedException {
    QueueName queue = request.queue();
    JsonObject fetched =
        fromStore.fetch(new FromStore.Request(store, queue, request.snapshot(), null, true), job);
    Fence fence = fences.find(queue);
    if (fence != null && !fence.lifted()) {
      fences.set(queue, fence.asLifted());
    }
    // As that the image's name means another one here: the next run by that name begins anew.
    List<String> told = new ArrayList<>(List.of(fetched.string("message")));
    told.addAll(fetched.strings("troubles"));
    String message = String.join("; ", told);
    List<Target> all = targets.of(queue);
    if (request.container()) {
      if (before.container() && !all.isEmpty()) {
        ContainerRestore.Request wanted =
            new ContainerRestore.Request(
                all.getFirst().id().value(), request.snapshot(), request.start(), false, false);
        message += "; " + restore.restore(wanted, job).string("message");
      } else {
        removeStopped(all);
        message += "; " + restore.createAgain(queue, request.snapshot(), request.start(), job);
      }
    }
    fences.remove(queue);
    return message;
  }

  /**
   * Makes sure that nothing of an arrival runs here, whatever has become of it; what the container
   * wrote meanwhile is in the queue.
   *
   * @return {@code message}, for a person
   */
  public JsonObject abandon(QueueName queue, String move) throws IOException {
    Before before = find(queue);
    if (before == null || !before.move().equals(move)) {
      return new JsonObject().with("message", "nothing of that move is here");
    }
    takeBack(queue, before);
    String message = "queue " + queue + " does not come here";
    events.tell(Event.Kind.MOVED, queue.value(), message);
    return new JsonObject().with("message", message);
  }

  /** The queue goes on from here: what was before its arrival means nothing any more. */
  void forget(QueueName queue) throws IOException {
    if (disk.size(file(queue)) >= 0) {
      new Records(disk).remove(file(queue));
    }
  }

  private void takeBack(QueueName queue, Before before) throws IOException {
    List<Target> all = targets.of(queue);
    for (Target target : all) {
      if (target.running()) {
        engine.stop(target.id().value());
      }
    }
    if (!before.container()) {
      removeStopped(targets.of(queue));
    }
    if (fences.isInUse(queue)) {
      throw new IOException("the container of queue " + queue + " does not end");
    }
    if (before.fence() != null) {
      fences.set(queue, before.fence());
    }
    forget(queue);
  }

  /**
   * Removes what this arrival has made: there was nothing of the queue before. What ran is in the
   * queue; one under plain runc, where that is not so, somebody else has made.
   */
  private void removeStopped(List<Target> made) throws IOException {
    for (Target target : made) {
      Optional<JsonObject> now = engine.container(target.id().value());
      boolean stopped = now.isPresent() && !now.get().object("State").flag("Running");
      if (stopped && target.underExtension()) {
        engine.remove(target.id().value());
      }
    }
  }

  private @Nullable Before find(QueueName queue) throws IOException {
    try {
      JsonObject json =
          JsonObject.parse(new String(disk.read(file(queue), BYTES_MAX), StandardCharsets.UTF_8));
      JsonObject fence = json.objectOrNull("fence");
      return new Before(
          json.string("move"), fence == null ? null : Fence.of(fence), json.flag("container"));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static byte[] bytes(Before before) {
    Fence fence = before.fence();
    return new JsonObject()
        .with("move", before.move())
        .with("fence", fence == null ? null : fence.json())
        .with("container", before.container())
        .toString()
        .getBytes(StandardCharsets.UTF_8);
  }

  private Path file(QueueName queue) {
    return directory.resolve(queue.value());
  }
}
