package dev.regen.agent.http;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.capture.SnapshotSealing;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code /v1/keys}, and {@code …/encryption} of a queue or a snapshot. No answer holds a key, only
 * the keys' ids.
 */
public final class EncryptionResource {
  private final Keyset keyset;
  private final SnapshotQueues queues;
  private final Arrivals arrivals;
  private final SnapshotSealing sealing;
  private final Jobs jobs;
  private final Events events;

  public EncryptionResource(
      Keyset keyset,
      SnapshotQueues queues,
      Arrivals arrivals,
      SnapshotSealing sealing,
      Jobs jobs,
      Events events) {
    this.keyset = keyset;
    this.queues = queues;
    this.arrivals = arrivals;
    this.sealing = sealing;
    this.jobs = jobs;
    this.events = events;
  }

  public void addTo(Routes routes) {
    routes
        .add("GET", "/v1/keys", _ -> Answer.ok(keys()))
        .add("POST", "/v1/keys", _ -> Answer.ok(makeKey()))
        .add("POST", "/v1/queues/{queue}/encryption", this::queue)
        .add("POST", "/v1/queues/{queue}/snapshots/{snapshot}/encryption", this::snapshot);
  }

  private JsonObject keys() throws IOException {
    return new JsonObject()
        .with("file", keyset.file().toString())
        .with("keys", keyset.list().stream().map(EncryptionResource::json).toList());
  }

  private JsonObject makeKey() throws IOException {
    Keyset.Listed made = keyset.add();
    events.tell(
        Event.Kind.KEY_MADE, null, "key " + made.id() + " in " + keyset.file() + " encrypts now");
    return json(made).with("file", keyset.file().toString());
  }

  private static JsonObject json(Keyset.Listed key) {
    return new JsonObject()
        .with("id", key.id().hex())
        .with("created", key.created())
        .with("active", key.active());
  }

  /**
   * Says what becomes of captures from now on, then, with {@code existing}, does the same to all
   * snapshots. Without {@code existing}, a queue that is not there is made.
   */
  private Answer queue(Call call) throws IOException {
    QueueName name = call.queue();
    JsonObject body = call.json();
    boolean encrypted = body.flag("encrypted");
    boolean existing = body.flag("existing");
    checkKey(encrypted);
    boolean make = encrypted && !existing;
    try (SnapshotQueue queue = make ? queues.openOrCreate(name, keep(name)) : queues.open(name)) {
      queue.encrypt(encrypted);
    }
    events.tell(
        encrypted ? Event.Kind.ENCRYPTED : Event.Kind.DECRYPTED,
        name.value(),
        "captures from now on are " + (encrypted ? "encrypted" : "not encrypted"));
    return Answer.accepted(
        jobs.start(
                encrypted ? "encrypt" : "decrypt",
                name.value(),
                job -> existing ? all(name, encrypted, job) : result(0, encrypted))
            .json());
  }

  private int keep(QueueName name) throws IOException {
    return queues.exists(name) ? queues.look(name).asked() : ContainerSettings.KEEP_DEFAULT;
  }

  private Answer snapshot(Call call) throws IOException {
    QueueName name = call.queue();
    boolean encrypted = call.json().flag("encrypted");
    SnapshotId id = arrivals.find(name, call.part("snapshot")).id();
    checkKey(encrypted);
    return Answer.accepted(
        jobs.start(
                encrypted ? "encrypt" : "decrypt",
                name + "@" + id.shortened(),
                job -> result(one(name, id, encrypted, job) ? 1 : 0, encrypted))
            .json());
  }

  /** One that cannot be done does not keep the others. */
  private JsonObject all(QueueName name, boolean encrypted, Job job) throws IOException {
    List<String> failed = new ArrayList<>();
    List<Element> elements = queues.look(name).elements();
    int changed = 0;
    for (Element element : elements) {
      try {
        changed += one(name, element.id(), encrypted, job) ? 1 : 0;
      } catch (RegenException.NotFound e) {
        // It has left the queue since: nothing to do.
      } catch (RegenException e) {
        failed.add(element.id().shortened() + ": " + Why.of(e));
      }
    }
    if (!failed.isEmpty()) {
      throw new RegenException.Refused(
          failed.size()
              + " of "
              + elements.size()
              + " snapshots of queue "
              + name
              + " stay as they were, "
              + changed
              + " were changed: "
              + String.join("; ", failed));
    }
    return result(changed, encrypted);
  }

  private boolean one(QueueName name, SnapshotId id, boolean encrypted, Job job)
      throws IOException {
    job.step((encrypted ? "encrypting " : "decrypting ") + id.shortened());
    boolean changed = sealing.reseal(name, id, encrypted, job, job::cancelled);
    if (changed) {
      events.tell(
          encrypted ? Event.Kind.ENCRYPTED : Event.Kind.DECRYPTED,
          name.value(),
          "snapshot " + id.shortened() + " is " + (encrypted ? "encrypted" : "decrypted"));
    }
    return changed;
  }

  private JsonObject result(int changed, boolean encrypted) throws IOException {
    return new JsonObject()
        .with("changed", changed)
        .with("key", encrypted ? keyset.active().id().hex() : null);
  }

  /** Nobody is told to encrypt without a key: their captures would fail from then on. */
  private void checkKey(boolean encrypted) throws IOException {
    if (encrypted) {
      keyset.active();
    }
  }
}
