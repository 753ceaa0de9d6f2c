package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Pages;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.runtime.Count;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.SnapshotSealing;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code /v1/keys}, and {@code …/encryption} of a queue or a snapshot. No answer holds a key, only
 * the keys' ids.
 */
public final class EncryptionResource {
  private static final Logger LOG = LoggerFactory.getLogger(EncryptionResource.class);

  private final Keyset keyset;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Snapshots found;
  private final SnapshotSealing sealing;
  private final Jobs jobs;
  private final Events events;
  private final Resealed resealed;

  /** Hears of a snapshot whose encryption has changed. */
  @FunctionalInterface
  public interface Resealed {
    void sealed(QueueName queue, SnapshotId id, boolean encrypted);
  }

  public EncryptionResource(
      Keyset keyset,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Snapshots found,
      SnapshotSealing sealing,
      Jobs jobs,
      Events events,
      Resealed resealed) {
    this.keyset = keyset;
    this.queues = queues;
    this.snapshots = snapshots;
    this.found = found;
    this.sealing = sealing;
    this.jobs = jobs;
    this.events = events;
    this.resealed = resealed;
  }

  public void addTo(Routes routes) {
    routes
        .add("listKeys", call -> Answer.ok(keys(call)))
        .add("makeKey", call -> Answer.ok(makeKey(call.json())))
        .add("addKeys", call -> Answer.ok(addKeys(call.json())))
        .add("encryptQueue", this::queue)
        .add("encryptSnapshot", this::snapshot);
  }

  private JsonObject keys(Call call) throws IOException {
    List<Keyset.Listed> all = keyset.list();
    // Several may be of one second.
    return Pages.page(
            call,
            "keys",
            all,
            key -> String.format("%015d %05d", key.created().toEpochMilli(), all.indexOf(key)),
            EncryptionResource::json)
        .with("file", keyset.file().toString());
  }

  private JsonObject makeKey(JsonObject body) throws IOException {
    if (!body.flag("force")) {
      requireNoLocked();
    }
    Keyset.Listed made = keyset.add();
    events.tell(
        Event.Kind.KEY_MADE, null, "key " + made.id() + " in " + keyset.file() + " encrypts now");
    return json(made).with("file", keyset.file().toString());
  }

  /** Who then put back a file with the missing keys would overwrite the new one. */
  private void requireNoLocked() throws IOException {
    Set<KeyId> here = keyset.list().stream().map(Keyset.Listed::id).collect(Collectors.toSet());
    Set<String> locked = new TreeSet<>();
    for (QueueName queue : queues.list()) {
      if (!here.containsAll(keysOf(queue))) {
        locked.add(queue.value());
      }
    }
    if (!locked.isEmpty()) {
      throw new RegenException.Refused(
          "keys that encrypted snapshots of "
              + String.join(", ", locked)
              + " are not in "
              + keyset.file()
              + "; take them from your copy of that file first, with 'regen key add COPY', or make a"
              + " key all the same with --force");
    }
  }

  /** What cannot be read needs something else than a key. */
  private Set<KeyId> keysOf(QueueName queue) throws IOException {
    Set<KeyId> keys = new HashSet<>();
    try {
      for (Element element : queues.look(queue).elements()) {
        KeyId key = snapshots.readIfWhole(element.id()).map(Snapshot::key).orElse(null);
        if (key != null) {
          keys.add(key);
        }
      }
    } catch (RegenException e) {
      LOG.warn("queue {} is passed over: {}", queue, Why.of(e));
    }
    return keys;
  }

  private JsonObject addKeys(JsonObject body) throws IOException {
    Path copy = Path.of(body.string("file"));
    List<Keyset.Listed> added = keyset.addFrom(copy);
    for (Keyset.Listed key : added) {
      events.tell(Event.Kind.KEY_ADDED, null, "key " + key.id() + " is in " + keyset.file());
    }
    return new JsonObject()
        .with("file", keyset.file().toString())
        .with("keys", added.stream().map(EncryptionResource::json).toList());
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
    SnapshotId id =
        found
            .require(encrypted ? Action.ENCRYPT : Action.DECRYPT, name, call.part("snapshot"))
            .id();
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
              + Count.of(elements.size(), "snapshot")
              + " of queue "
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
      resealed.sealed(name, id, encrypted);
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
