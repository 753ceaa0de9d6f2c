package dev.regen.agent.http;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.JobTransfer;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.Pull;
import dev.regen.snapshot.transfer.Push;
import dev.regen.snapshot.transfer.RemoteQueue;
import dev.regen.snapshot.transfer.StoredSnapshot;
import dev.regen.snapshot.transfer.Transferred;
import java.io.IOException;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code …/push} and {@code …/pull} of a queue, each as a job, and {@code /v1/store/queues}: what a
 * store has. An {@code attended} job ends when nobody asks for it.
 */
public final class StoreResource {
  private final SnapshotQueues queues;
  private final Push push;
  private final Pull pull;
  private final Unpacking unpacking;
  private final KnownContainers containers;
  private final @Nullable StoreUrl configured;
  private final Jobs jobs;
  private final Events events;
  private final OpenStores stores = new OpenStores();

  /** Makes ready what a next run starts from. */
  @FunctionalInterface
  public interface Unpacking {
    void unpack(Snapshot snapshot, Job job) throws IOException;
  }

  /**
   * @param configured the store of requests that name none; null for none
   */
  public StoreResource(
      SnapshotQueues queues,
      Push push,
      Pull pull,
      Unpacking unpacking,
      KnownContainers containers,
      @Nullable StoreUrl configured,
      Jobs jobs,
      Events events) {
    this.queues = queues;
    this.push = push;
    this.pull = pull;
    this.unpacking = unpacking;
    this.containers = containers;
    this.configured = configured;
    this.jobs = jobs;
    this.events = events;
  }

  public void addTo(Routes routes) {
    routes
        .add("POST", "/v1/queues/{queue}/push", this::push)
        .add("POST", "/v1/queues/{queue}/pull", this::pull)
        .add("POST", "/v1/store/queues", this::list)
        .add("POST", "/v1/store/queues/{queue}", this::list);
  }

  private Answer push(Call call) throws IOException {
    QueueName name = call.queue();
    JsonObject body = call.json();
    StoreUrl url = url(body);
    Element element = queues.look(name).find(address(body), ZoneId.systemDefault());
    SnapshotId id = element.id();
    return start(
        "push",
        name + "@" + id.shortened(),
        body,
        url,
        true,
        (store, job) -> {
          Push.Result pushed = push.push(store, name, id, new JobTransfer(job));
          String message = told(name, id, pushed);
          events.tell(Event.Kind.PUSHED, name.value(), message);
          return result(message, id, pushed.transferred(), pushed.there());
        });
  }

  private static String told(QueueName name, SnapshotId id, Push.Result pushed) {
    String snapshot = "snapshot " + id.shortened() + " of queue " + name;
    Transferred sent = pushed.transferred();
    if (pushed.there()) {
      return snapshot + " was there already, all " + sent.totalChunks() + " chunks of it";
    }
    return snapshot
        + " is pushed: "
        + sent.chunks()
        + " of "
        + sent.totalChunks()
        + " chunks sent now"
        + (sent.chunks() == sent.totalChunks() ? "" : ", the others were there already");
  }

  private Answer pull(Call call) throws IOException {
    QueueName name = call.queue();
    JsonObject body = call.json();
    StoreUrl url = url(body);
    String address = address(body);
    return start(
        "pull",
        name + "@" + address,
        body,
        url,
        false,
        (store, job) -> {
          Pull.Result pulled = pull.pull(store, name, address, new JobTransfer(job));
          String message = told(name, pulled);
          events.tell(Event.Kind.PULLED, name.value(), message);
          unpacking.unpack(pulled.snapshot(), job);
          return result(message, pulled.snapshot().id(), pulled.transferred(), pulled.here());
        });
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
          + (fetched.chunks() == 0 ? "" : "; " + fetched.chunks() + " chunks it lacked are back")
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
        + fetched.totalChunks()
        + " chunks fetched"
        + (left == 0 ? "" : "; " + left + " left the queue")
        + running(name);
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

  private Answer list(Call call) throws IOException {
    StoreUrl url = url(call.json());
    boolean one = call.has("queue");
    try (OpenStores.Use use = stores.use(url, false)) {
      List<JsonObject> rows = new ArrayList<>();
      List<QueueName> names = one ? List.of(call.queue()) : RemoteQueue.all(use.store());
      for (QueueName name : names) {
        RemoteQueue.Listing listing = new RemoteQueue(use.store(), name).list();
        listing.complete().forEach(stored -> rows.add(row(stored)));
        listing.uploading().forEach(id -> rows.add(row(name, id)));
      }
      if (one && rows.isEmpty()) {
        throw new RegenException.NotFound("the store has nothing of queue '" + call.queue() + "'");
      }
      return Answer.ok(
          new JsonObject().with("snapshots", rows).with("troubles", use.store().troubles()));
    }
  }

  private static JsonObject row(StoredSnapshot stored) {
    Element element = stored.element();
    return new JsonObject()
        .with("queue", stored.queue().value())
        .with("id", stored.id().value())
        .with("time", QueueViews.time(element.time()))
        .with("sizeBytes", stored.storedBytes())
        .with("reason", QueueViews.word(element.end().reason()))
        .with("exitCode", element.end().exitCode())
        .with("good", QueueViews.word(element.end().good()))
        .with("image", stored.imageName())
        .with("encrypted", stored.encrypted())
        .with("state", "complete");
  }

  private static JsonObject row(QueueName queue, SnapshotId id) {
    return new JsonObject()
        .with("queue", queue.value())
        .with("id", id.value())
        .with("time", null)
        .with("state", "uploading");
  }

  private interface Transfer {
    JsonObject run(RemoteStore store, Job job) throws IOException;
  }

  private Answer start(
      String kind, String subject, JsonObject body, StoreUrl url, boolean make, Transfer transfer)
      throws IOException {
    Job job =
        jobs.start(
            kind,
            subject,
            started -> {
              started.step("connecting");
              try (OpenStores.Use use = stores.use(url, make)) {
                JsonObject result = run(transfer, use.store(), started);
                List<String> troubles = use.store().troubles();
                troubles.forEach(
                    said -> events.tell(Event.Kind.DEGRADED, null, kind + ": " + said));
                return result.with("troubles", troubles);
              }
            });
    if (body.flag("attended")) {
      job.attend();
    }
    return Answer.accepted(job.json());
  }

  /** What the network broke off is not lost, and nobody can know that who isn't told. */
  private static JsonObject run(Transfer transfer, RemoteStore store, Job job) throws IOException {
    try {
      return transfer.run(store, job);
    } catch (RegenException | DiskFullException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(Why.of(e) + "; the same command again goes on with the rest", e);
    }
  }

  private static JsonObject result(
      String message, SnapshotId id, Transferred transferred, boolean here) {
    return new JsonObject()
        .with("message", message)
        .with("snapshot", id.value())
        .with("chunks", transferred.chunks())
        .with("bytes", transferred.bytes())
        .with("totalChunks", transferred.totalChunks())
        .with("totalBytes", transferred.totalBytes())
        .with("here", here);
  }

  private StoreUrl url(JsonObject body) throws IOException {
    String text = body.stringOrNull("store");
    if (text != null) {
      try {
        return StoreUrl.parse(text);
      } catch (IllegalArgumentException e) {
        throw new RegenException.Misuse("--store: " + e.getMessage());
      }
    }
    if (configured == null) {
      throw new RegenException.Misuse(
          "no store is named: say --store URL, or 'store' in the agent's configuration");
    }
    return configured;
  }

  private static String address(JsonObject body) throws IOException {
    String snapshot = body.stringOrNull("snapshot");
    if (snapshot == null) {
      return "latest";
    }
    QueueContent.checkAddress(snapshot);
    return snapshot;
  }
}
