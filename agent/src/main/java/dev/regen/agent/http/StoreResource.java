package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.FromStore;
import dev.regen.agent.container.ImageTransfers;
import dev.regen.agent.container.ToStores;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.agent.rules.StateRules;
import dev.regen.agent.rules.StateRules.StoredState;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.RemoteQueue;
import dev.regen.snapshot.transfer.StoredSnapshot;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code …/push} and {@code …/pull} of a queue, each as a job, and {@code /v1/store/queues}: what a
 * store has. An {@code attended} job ends when nobody asks for it.
 */
public final class StoreResource {
  private final ToStores toStores;
  private final FromStore fromStore;
  private final OpenStores stores;
  private final @Nullable StoreUrl configured;
  private final Jobs jobs;

  /**
   * @param configured the store of requests that name none; null for none
   */
  public StoreResource(
      ToStores toStores,
      FromStore fromStore,
      OpenStores stores,
      @Nullable StoreUrl configured,
      Jobs jobs) {
    this.toStores = toStores;
    this.fromStore = fromStore;
    this.stores = stores;
    this.configured = configured;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("pushQueue", this::push)
        .add("pullQueue", this::pull)
        .add("listStored", this::list)
        .add("listStoredQueue", this::list);
  }

  private Answer push(Call call) throws IOException {
    QueueName name = call.queue();
    JsonObject body = call.json();
    StoreUrl url = url(body, configured);
    String address = address(body);
    boolean image = !body.flag("noImage");
    String also = body.stringOrNull("also");
    StoreUrl second = also == null ? null : parsed("--also", also);
    return started(
        jobs.startTransfer(
            "push",
            name + "@" + address,
            job ->
                second == null
                    ? toStores.push(url, name, address, image, job)
                    : toStores.push(url, second, name, address, image, job)),
        body);
  }

  private Answer pull(Call call) throws IOException {
    QueueName name = call.queue();
    JsonObject body = call.json();
    String address = address(body);
    FromStore.Request request =
        new FromStore.Request(
            url(body, configured), name, address, patience(body), !body.flag("noImage"));
    request.check();
    return started(
        jobs.startTransfer("pull", name + "@" + address, job -> fromStore.fetch(request, job)),
        body);
  }

  /** Null unless the body wants to {@code follow}. */
  static @Nullable Duration patience(JsonObject body) throws IOException {
    if (!body.flag("follow")) {
      return null;
    }
    long seconds = body.numberOr("waitSeconds", FromStore.Request.PATIENCE_DEFAULT.toSeconds());
    if (seconds < 1 || seconds > FromStore.Request.PATIENCE_MAX.toSeconds()) {
      throw new RegenException.Misuse(
          "--wait is a number of seconds from 1 to " + FromStore.Request.PATIENCE_MAX.toSeconds());
    }
    return Duration.ofSeconds(seconds);
  }

  private Answer list(Call call) throws IOException {
    StoreUrl url = url(call.json(), configured);
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
          new JsonObject()
              .with("snapshots", rows)
              .with("images", one ? List.of() : ImageTransfers.list(use.store()))
              .with("troubles", use.store().troubles()));
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
        .with("state", "complete")
        .with("actions", QueueViews.actions(StateRules.stored(StoredState.COMPLETE)));
  }

  private static JsonObject row(QueueName queue, SnapshotId id) {
    return new JsonObject()
        .with("queue", queue.value())
        .with("id", id.value())
        .with("time", null)
        .with("state", "uploading")
        .with("actions", QueueViews.actions(StateRules.stored(StoredState.UPLOADING)));
  }

  static Answer started(Job job, JsonObject body) throws IOException {
    if (body.flag("attended")) {
      job.attend();
    }
    return Answer.accepted(job.json());
  }

  /** The store that a request names, or the one of the configuration. */
  static StoreUrl url(JsonObject body, @Nullable StoreUrl configured) throws IOException {
    String text = body.stringOrNull("store");
    if (text != null) {
      return parsed("--store", text);
    }
    if (configured == null) {
      throw new RegenException.Misuse(
          "no store is named: say --store URL, or 'store' in the agent's configuration");
    }
    return configured;
  }

  static StoreUrl parsed(String option, String url) throws RegenException {
    try {
      return StoreUrl.parse(url);
    } catch (IllegalArgumentException e) {
      throw new RegenException.Misuse(option + ": " + e.getMessage());
    }
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
