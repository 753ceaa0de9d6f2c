package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.JobTransfer;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.runtime.Count;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.restore.EarlyLook;
import dev.regen.snapshot.transfer.Follow;
import dev.regen.snapshot.transfer.Pull;
import dev.regen.snapshot.transfer.Transferred;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Fetches snapshots from stores, and makes ready what the next run of their queue starts from. */
public final class FromStore {
  private final SnapshotQueues queues;
  private final Pull pull;
  private final Follow follow;
  private final BaseImages images;
  private final NextRun nextRun;
  private final KnownContainers containers;
  private final OpenStores stores;
  private final Events events;

  /**
   * What was asked for.
   *
   * @param address of the snapshot, in the store
   * @param patience how long to wait for a push to begin or to go on; null: do not follow one
   * @param image whether the engine is to have the image too that the snapshot lies on
   */
  public record Request(
      StoreUrl url, QueueName queue, String address, @Nullable Duration patience, boolean image) {
    public static final Duration PATIENCE_DEFAULT = Duration.ofMinutes(10);
    public static final Duration PATIENCE_MAX = Duration.ofDays(1);

    /**
     * Looks whether it can be done at all.
     *
     * @throws RegenException.Misuse if that store cannot be followed
     */
    public void check() throws RegenException {
      if (patience != null
          && url.addresses().stream().anyMatch(address -> "dir".equals(address.getScheme()))) {
        throw new RegenException.Misuse(
            "--follow: a directory is open to one process at a time, nobody could push to it"
                + " meanwhile; use 'regen storage', or pull when the push is done");
      }
    }
  }

  public FromStore(
      SnapshotQueues queues,
      Pull pull,
      Follow follow,
      BaseImages images,
      NextRun nextRun,
      KnownContainers containers,
      OpenStores stores,
      Events events) {
    this.queues = queues;
    this.pull = pull;
    this.follow = follow;
    this.images = images;
    this.nextRun = nextRun;
    this.containers = containers;
    this.stores = stores;
    this.events = events;
  }

  /**
   * Does it.
   *
   * @return {@code message}, for a person, {@code snapshot}, its id, {@code troubles} that were
   *     borne, and what was fetched
   */
  public JsonObject fetch(Request request, Job job) throws IOException {
    job.step("connecting");
    JobTransfer progress = new JobTransfer(job);
    try (OpenStores.Use use = stores.use(request.url(), false);
        EarlyImage early = new EarlyImage(images, use.store(), progress)) {
      Pull.Result pulled = pulled(use.store(), request, early, progress);
      BaseImages.Brought image = request.image() ? image(early, pulled) : BaseImages.Brought.NONE;
      String message = told(request.queue(), pulled) + image.words();
      events.tell(Event.Kind.PULLED, request.queue().value(), message);
      nextRun.prepareIfNewest(pulled.snapshot(), job);
      List<String> troubles = new ArrayList<>(use.store().troubles());
      if (image.trouble() != null) {
        troubles.add(image.trouble());
      }
      troubles.forEach(said -> events.tell(Event.Kind.DEGRADED, null, "pull: " + said));
      return json(message, pulled.snapshot().id(), pulled.transferred())
          .with("here", pulled.here())
          .with("image", image.json())
          .with("troubles", troubles);
    }
  }

  /** After the snapshot, which is here whatever becomes of it. */
  private static BaseImages.Brought image(EarlyImage early, Pull.Result pulled) throws IOException {
    try {
      return early.result(pulled.snapshot());
    } catch (IOException e) {
      throw new IOException(
          pulled.snapshot().words()
              + " is in its queue, but its image could not be fetched: "
              + Why.of(e)
              + "; the same command again fetches it",
          e);
    }
  }

  /** What a transfer came to. */
  public static JsonObject json(String message, SnapshotId id, Transferred transferred) {
    return new JsonObject()
        .with("message", message)
        .with("snapshot", id.value())
        .with("chunks", transferred.chunks())
        .with("bytes", transferred.bytes())
        .with("totalChunks", transferred.totalChunks())
        .with("totalBytes", transferred.totalBytes());
  }

  private Pull.Result pulled(
      RemoteStore store, Request request, EarlyImage early, JobTransfer progress)
      throws IOException {
    try {
      return transferred(store, request, early, progress);
    } catch (RegenException | DiskFullException e) {
      throw e;
    } catch (IOException e) {
      // What the network broke off is not lost, and nobody can know that who isn't told.
      throw new IOException(Why.of(e) + "; the same command again goes on with the rest", e);
    }
  }

  private Pull.Result transferred(
      RemoteStore store, Request request, EarlyImage early, JobTransfer progress)
      throws IOException {
    Duration patience = request.patience();
    if (patience == null) {
      return pull.pull(store, request.queue(), request.address(), progress);
    }
    try (EarlyLook look = nextRun.look(request.queue())) {
      return follow.follow(
          store,
          request.queue(),
          request.address(),
          patience,
          (snapshot, arriving) -> {
            if (request.image()) {
              early.begin(snapshot);
            }
            return nextRun.prepareEarly(snapshot, arriving, look);
          },
          progress);
    }
  }

  private String told(QueueName name, Pull.Result pulled) throws IOException {
    SnapshotId id = pulled.snapshot().id();
    Transferred fetched = pulled.transferred();
    if (pulled.here()) {
      boolean latest = queues.look(name).tail().map(tail -> tail.id().equals(id)).orElse(false);
      return "queue "
          + name
          + " holds snapshot "
          + id.shortened()
          + " already"
          + (fetched.chunks() == 0 ? "" : "; " + lacked(fetched.chunks()))
          + (latest ? "" : "; 'regen restore " + name + " --at " + id.shortened() + "' goes to it");
    }
    int left = pulled.appended().left().size();
    return "snapshot "
        + id.shortened()
        + " is the newest of queue "
        + name
        + ": "
        + fetched.chunks()
        + " of "
        + Count.of(fetched.totalChunks(), "chunk")
        + " fetched"
        + (left == 0 ? "" : "; " + left + " left the queue")
        + running(name);
  }

  private static String lacked(long chunks) {
    return Count.of(chunks, "chunk") + " it lacked " + (chunks == 1 ? "is" : "are") + " back";
  }

  /** What runs now does not start from what was pulled, and is newer when it ends. */
  private String running(QueueName name) throws IOException {
    for (KnownContainers.Known container : containers.list()) {
      if (container.running() && container.queue().equals(name)) {
        return "; container "
            + container.name()
            + " is running: when it ends its state is the newest, and this one is @-1";
      }
    }
    return "";
  }
}
