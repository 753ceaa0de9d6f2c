package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.JobTransfer;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.runtime.Count;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.care.ImageRemoval;
import dev.regen.snapshot.care.Pauses;
import dev.regen.snapshot.care.Rebalanced;
import dev.regen.snapshot.care.Rebalancing;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.care.StoreRemoval;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/store/queues/{queue}/remove}, {@code /v1/store/images/remove}, {@code
 * /v1/store/collect} and {@code /v1/store/rebalance}, each as a job.
 */
public final class StoreCareResource {
  private static final long GRACE_SECONDS_MAX = Duration.ofDays(7).toSeconds();

  private final OpenStores stores;
  private final @Nullable StoreUrl configured;
  private final Jobs jobs;
  private final Events events;
  private final InstantSource clock;

  /**
   * @param configured the store of requests that name none; null for none
   */
  public StoreCareResource(
      OpenStores stores,
      @Nullable StoreUrl configured,
      Jobs jobs,
      Events events,
      InstantSource clock) {
    this.stores = stores;
    this.configured = configured;
    this.jobs = jobs;
    this.events = events;
    this.clock = clock;
  }

  public void addTo(Routes routes) {
    routes
        .add("removeStoredQueue", this::remove)
        .add("removeStoredImage", this::removeImage)
        .add("collectStore", this::collect)
        .add("rebalanceStore", this::rebalance);
  }

  private Answer remove(Call call) throws IOException {
    QueueName queue = call.queue();
    JsonObject body = call.json();
    StoreUrl url = StoreResource.url(body, configured);
    String address = body.stringOrNull("snapshot");
    if (address != null) {
      QueueContent.checkAddress(address);
    }
    return StoreResource.started(
        jobs.startTransfer(
            "remove",
            address == null ? queue.value() : queue + "@" + address,
            job -> removed(url, queue, address, job)),
        body);
  }

  private JsonObject removed(StoreUrl url, QueueName queue, @Nullable String address, Job job)
      throws IOException {
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, false)) {
      job.step("removing");
      StoreRemoval removal = new StoreRemoval(use.store());
      StoreRemoval.Result result =
          address == null ? removal.removeQueue(queue) : removal.remove(queue, address);
      String what =
          address == null
              ? Count.of(result.snapshots().size(), "snapshot") + " of queue " + queue
              : "snapshot " + result.snapshots().getFirst().id().shortened() + " of " + queue;
      String message =
          what
              + " removed from the store: "
              + Count.of(result.deleted(), "chunk")
              + " deleted"
              + (result.left() == 0
                  ? ""
                  : ", " + result.left() + " left for 'regen storage collect'")
              + (result.uploading() == 0 ? "" : "; " + result.uploading() + " uploading ones stay");
      events.tell(Event.Kind.STORE_CHANGED, queue.value(), message + ", " + url.text());
      return new JsonObject()
          .with("message", message)
          .with("snapshots", result.snapshots().size())
          .with("deleted", result.deleted())
          .with("left", result.left());
    }
  }

  private Answer removeImage(Call call) throws IOException {
    JsonObject body = call.json();
    String address = ImageResource.address(body);
    StoreUrl url = StoreResource.url(body, configured);
    return StoreResource.started(
        jobs.startTransfer("remove", address, job -> removedImage(url, address, job)), body);
  }

  private JsonObject removedImage(StoreUrl url, String address, Job job) throws IOException {
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, false)) {
      job.step("removing");
      ImageRemoval.Result result = new ImageRemoval(use.store()).remove(address);
      String message = told(address, result);
      events.tell(Event.Kind.STORE_CHANGED, null, message + ", in " + url.text());
      return new JsonObject()
          .with("message", message)
          .with("id", result.id().toString())
          .with("names", result.removed().stream().map(ImageTag::toString).toList())
          .with("namesLeft", result.left().stream().map(ImageTag::toString).toList())
          .with("layers", result.layers());
    }
  }

  private static String told(String address, ImageRemoval.Result result) {
    if (!result.left().isEmpty()) {
      return "name "
          + address
          + " removed from the store; the image is still there as "
          + result.left().stream().map(ImageTag::toString).collect(Collectors.joining(", "));
    }
    return "image "
        + address
        + " removed from the store, with "
        + Count.of(result.layers(), "layer")
        + " that no other has; their chunks go with 'regen storage collect'"
        + (result.layersKept()
            ? ", as do layers that stay for now: an image is being pushed, or cannot be read"
            : "");
  }

  private Answer collect(Call call) throws IOException {
    JsonObject body = call.json();
    StoreUrl url = StoreResource.url(body, configured);
    long seconds = body.numberOr("graceSeconds", StoreCollection.GRACE.toSeconds());
    if (seconds < 0 || seconds > GRACE_SECONDS_MAX) {
      throw new RegenException.Misuse("--grace is a number of seconds, up to " + GRACE_SECONDS_MAX);
    }
    return StoreResource.started(
        jobs.startTransfer(
            "collect", url.text(), job -> collected(url, Duration.ofSeconds(seconds), job)),
        body);
  }

  private JsonObject collected(StoreUrl url, Duration grace, Job job) throws IOException {
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, false)) {
      StoreCollection.Result result =
          new StoreCollection(use.store(), clock, Pauses.REAL).run(grace, new JobTransfer(job));
      String message =
          result.deleted()
              + " of "
              + Count.of(result.chunks(), "chunk")
              + " deleted"
              + (result.left() == 0
                  ? ""
                  : ", "
                      + result.left()
                      + " others are not needed either and stay for the next time")
              + (result.images() == 0
                  ? ""
                  : " (" + result.images() + " images are being pushed, and may need any)")
              + (result.uploads() == 0
                  ? ""
                  : "; " + result.uploads() + " pushes that were given up are forgotten");
      events.tell(Event.Kind.STORE_CHANGED, null, message + ", in " + url.text());
      return new JsonObject()
          .with("message", message)
          .with("chunks", result.chunks())
          .with("deleted", result.deleted())
          .with("left", result.left())
          .with("uploads", result.uploads())
          .with("images", result.images())
          .with("troubles", use.store().troubles());
    }
  }

  private Answer rebalance(Call call) throws IOException {
    JsonObject body = call.json();
    StoreUrl url = StoreResource.url(body, configured);
    boolean all = body.flag("all");
    return StoreResource.started(
        jobs.startTransfer("rebalance", url.text(), job -> rebalanced(url, all, job)), body);
  }

  private JsonObject rebalanced(StoreUrl url, boolean all, Job job) throws IOException {
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, false)) {
      Rebalanced done = new Rebalancing(use.store()).run(all, new JobTransfer(job));
      String message = told(done);
      events.tell(Event.Kind.STORE_CHANGED, null, message + ", in " + url.text());
      return new JsonObject()
          .with("message", message)
          .with("chunks", done.chunks())
          .with("moved", done.moved())
          .with("repaired", done.repaired())
          .with("healed", done.healed())
          .with("removed", done.removed())
          .with("left", done.left())
          .with("records", done.records())
          .with("bytes", done.bytes())
          .with("failed", done.failed())
          .with("troubles", done.troubles());
    }
  }

  private static String told(Rebalanced done) {
    return "of "
        + Count.of(done.chunks(), "chunk")
        + " "
        + done.moved()
        + (done.moved() == 1 ? " copy moved, " : " copies moved, ")
        + done.repaired()
        + " repaired, "
        + done.healed()
        + " healed"
        + (done.left() == 0 ? "" : "; " + done.left() + " old copies stay for now, as in use")
        + (done.failed() == 0 ? "" : "; it failed with " + done.failed());
  }
}
