package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Failure;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.JobTransfer;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.Count;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.store.SnapshotStore;
import dev.regen.snapshot.transfer.Push;
import dev.regen.snapshot.transfer.ReadOnce;
import dev.regen.snapshot.transfer.TransferProgress;
import dev.regen.snapshot.transfer.Transferred;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Sends snapshots to a store, or to two at the same time, of which one may fail. */
public final class ToStores {
  private static final String CANCELLED =
      "cancelled; what was sent stays in the store, and the same command again sends the rest";

  private final SpoolDrain drain;
  private final Arrivals arrivals;
  private final Push push;
  private final SnapshotStore snapshots;
  private final BaseImages images;
  private final ChunkReader.Source chunks;
  private final OpenStores stores;
  private final Events events;

  public ToStores(
      SpoolDrain drain,
      Arrivals arrivals,
      Push push,
      SnapshotStore snapshots,
      BaseImages images,
      ChunkReader.Source chunks,
      OpenStores stores,
      Events events) {
    this.drain = drain;
    this.arrivals = arrivals;
    this.push = push;
    this.snapshots = snapshots;
    this.images = images;
    this.chunks = chunks;
    this.stores = stores;
    this.events = events;
  }

  /** A push to one store. */
  private final class One {
    private final StoreUrl url;
    private final boolean withImage;
    private boolean begun;
    private List<String> troubles = List.of();
    private BaseImages.Brought image = BaseImages.Brought.NONE;
    private Push.@Nullable Result sent;
    private @Nullable Exception failure;

    private One(StoreUrl url, boolean withImage) {
      this.url = url;
      this.withImage = withImage;
    }

    private void run(
        QueueName name,
        SnapshotId id,
        ChunkReader.Source source,
        int n,
        TransferProgress progress) {
      try (OpenStores.Use use = stores.use(url, true)) {
        begun = true;
        IOException imageFailure = sendImage(use.store(), id, progress);
        sent = push.push(use.store(), name, id, source, n, progress);
        troubles = use.store().troubles();
        troubles.forEach(said -> events.tell(Event.Kind.DEGRADED, null, "push: " + said));
        if (imageFailure != null) {
          throw new IOException(
              "snapshot "
                  + id.shortened()
                  + " of queue "
                  + name
                  + " is pushed, but its image is not: "
                  + Why.of(imageFailure),
              imageFailure);
        }
      } catch (IOException | RuntimeException e) {
        failure = e;
      }
    }

    /**
     * Before the snapshot, so that who follows the push finds it whole.
     *
     * @return why it failed, which keeps no snapshot back
     */
    private @Nullable IOException sendImage(
        RemoteStore store, SnapshotId id, TransferProgress progress) throws IOException {
      Optional<Snapshot> snapshot = withImage ? snapshots.readIfWhole(id) : Optional.empty();
      if (snapshot.isPresent()) {
        try {
          image = images.send(store, snapshot.get(), progress);
        } catch (IOException e) {
          return e;
        }
      }
      return null;
    }

    private List<String> told() {
      List<String> all = new ArrayList<>(troubles);
      if (image.trouble() != null) {
        all.add(image.trouble());
      }
      return all;
    }
  }

  /**
   * Sends to one store.
   *
   * @param address which snapshot; where that depends on what is in the queue, a run that has ended
   *     is archived first
   * @param image whether the image that the snapshot lies on is to be there too
   * @return {@code message}, for a person, {@code snapshot}, {@code troubles} that were borne, and
   *     what was sent
   */
  public JsonObject push(StoreUrl url, QueueName name, String address, boolean image, Job job)
      throws IOException, InterruptedException {
    SnapshotId id = find(name, address, job);
    job.step("connecting");
    One one = new One(url, image);
    one.run(name, id, chunks, 1, new JobTransfer(job));
    return result(one, name, id);
  }

  /**
   * Sends to two stores at the same time; each chunk is read once here as long as they take them at
   * about the same pace.
   *
   * @return as above, of the first; {@code also} of the second
   * @throws IOException if one of them failed, or both: says what became of each, and what to do
   */
  public JsonObject push(
      StoreUrl first, StoreUrl also, QueueName name, String address, boolean image, Job job)
      throws IOException, InterruptedException {
    if (first.text().equals(also.text())) {
      throw new RegenException.Misuse("both stores are " + also.text());
    }
    SnapshotId id = find(name, address, job);
    job.step("connecting");
    BothTransfers both = new BothTransfers(new JobTransfer(job));
    ReadOnce once = new ReadOnce(chunks);
    One one = new One(first, image);
    One two = new One(also, image);
    Thread other =
        Thread.ofPlatform()
            .name("push-" + job.id() + "-also")
            .daemon()
            .start(() -> two.run(name, id, once, 2, both.part(1)));
    one.run(name, id, once, 2, both.part(0));
    join(other);
    if (one.failure instanceof CancellationException
        || two.failure instanceof CancellationException) {
      throw new CancellationException(CANCELLED);
    }
    if (one.failure != null || two.failure != null) {
      throw new IOException(outcome(one, name, id) + "; " + outcome(two, name, id));
    }
    JsonObject second = result(two, name, id);
    JsonObject result = result(one, name, id);
    List<String> troubles = one.told();
    troubles.addAll(two.told());
    return result
        .with(
            "message",
            result.string("message")
                + " to "
                + first.text()
                + "; "
                + second.string("message")
                + " to "
                + also.text())
        .with("also", second)
        .with("troubles", troubles);
  }

  private SnapshotId find(QueueName name, String address, Job job)
      throws IOException, InterruptedException {
    if (!isId(name, address)) {
      job.step("waiting for what is being archived");
      drain.awaitArchived(name, job);
    }
    return arrivals.find(name, address).id();
  }

  /** Whether that is the beginning of the id of a snapshot which is here. */
  private boolean isId(QueueName name, String address) throws IOException {
    try {
      String id = arrivals.find(name, address).id().value();
      return id.startsWith(address.toLowerCase(Locale.ROOT));
    } catch (RegenException.NotFound e) {
      return false;
    }
  }

  private JsonObject result(One one, QueueName name, SnapshotId id) throws IOException {
    switch (one.failure) {
      case null -> {}
      case RegenException.Refused e when DiskFullException.behind(e).isPresent() ->
          throw new RegenException.Refused(
              Why.of(e)
                  + "; what was sent stays there, 'uploading': with more room the same command goes"
                  + " on with the rest, else 'regen storage collect' removes it a day later");
      case RegenException e -> throw e;
      case DiskFullException e -> throw e;
      // What the network broke off is not lost, and nobody can know that who isn't told.
      case IOException e ->
          throw one.begun
              ? new IOException(Why.of(e) + "; the same command again goes on with the rest", e)
              : e;
      case CancellationException e when "cancelled".equals(e.getMessage()) ->
          throw new CancellationException(CANCELLED);
      case RuntimeException e -> throw e;
      case Exception e -> throw new IOException(e);
    }
    Push.Result sent = Objects.requireNonNull(one.sent);
    String message =
        "snapshot "
            + id.shortened()
            + " of queue "
            + name
            + told(sent.there(), sent.transferred())
            + one.image.words();
    events.tell(Event.Kind.PUSHED, name.value(), message);
    return FromStore.json(message, id, sent.transferred())
        .with("here", sent.there())
        .with("troubles", one.told())
        .with("image", one.image.json())
        .with("store", one.url.text());
  }

  private String outcome(One one, QueueName name, SnapshotId id) throws IOException {
    Exception failure = one.failure;
    if (failure == null) {
      return result(one, name, id).string("message") + " to " + one.url.text();
    }
    String address = name + "@" + id.shortened();
    return address
        + " is not whole in "
        + one.url.text()
        + ": "
        + Failure.of(failure).message()
        + " ('regen push "
        + address
        + " --store "
        + one.url.text()
        + "' sends the rest)";
  }

  private static String told(boolean there, Transferred sent) {
    if (there) {
      return " was there already, all " + Count.of(sent.totalChunks(), "chunk") + " of it";
    }
    return " is pushed: "
        + sent.chunks()
        + " of "
        + Count.of(sent.totalChunks(), "chunk")
        + " sent now"
        + (sent.chunks() == sent.totalChunks() ? "" : ", the others were there already");
  }

  private static void join(Thread thread) throws IOException {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
