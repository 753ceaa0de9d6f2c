package dev.regen.agent.http;

import dev.regen.agent.api.Call;
import dev.regen.agent.api.Pages;
import dev.regen.agent.jobs.Pending;
import dev.regen.agent.jobs.PendingLayer;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.agent.rules.StateRules;
import dev.regen.agent.rules.StateRules.QueueState;
import dev.regen.agent.rules.StateRules.SnapshotState;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.runtime.oci.Fences;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.End;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Queues and snapshots as the API shows them. */
public final class QueueViews {
  private static final DateTimeFormatter MILLISECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final String INCONSISTENT =
      "its container ran and wrote while its layer was read; files may be of different moments";
  private static final int SIZES_MAX = 5000;

  /** What of a manifest a listing shows, as long as {@code file} says that it is the same file. */
  private record Size(
      Stat file, long sizeBytes, long newBytes, long entries, @Nullable KeyId key) {}

  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Pending pending;
  private final Arrivals arrivals;
  private final KnownContainers containers;
  private final Fences fences;
  private final Map<SnapshotId, Size> sizes = new LinkedHashMap<>();

  public QueueViews(
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Pending pending,
      Arrivals arrivals,
      KnownContainers containers,
      Fences fences) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.pending = pending;
    this.arrivals = arrivals;
    this.containers = containers;
    this.fences = fences;
  }

  /**
   * Some queues; one that cannot be read stands there as damaged, one that is gone is not there.
   */
  JsonObject queues(Call call) throws IOException {
    JsonObject page = Pages.page(call, "queues", queues.list(), QueueName::value, QueueViews::name);
    List<PendingLayer> waiting = pending.pending();
    Set<QueueName> inUse = inUse();
    List<JsonObject> rows = new ArrayList<>();
    for (JsonObject named : page.objects("queues")) {
      QueueName name = new QueueName(named.string("name"));
      try {
        rows.add(queue(name, waiting, inUse));
      } catch (RegenException.NotFound e) {
        // Removed since.
      }
    }
    return page.with("queues", rows);
  }

  private static JsonObject name(QueueName name) {
    return new JsonObject().with("name", name.value());
  }

  /** One queue, and what its snapshots do not hold. */
  JsonObject queue(QueueName name) throws IOException {
    QueueContent content = queues.look(name);
    JsonObject json = queue(name, pending.pending(), inUse());
    SnapshotId chosen = content.chosen();
    json.with("chosen", chosen == null ? null : chosen.value());
    Element tail = content.tail().orElse(null);
    if (tail != null) {
      Snapshot snapshot = snapshots.read(tail.id());
      json.with("image", snapshot.imageName())
          .with("imageId", snapshot.imageId())
          .with("notHeld", snapshot.notHeld())
          .with("leftOut", leftOut(snapshot));
      if (snapshot.spec().members().get("rebase") instanceof JsonObject rebase) {
        json.with("rebase", rebase);
      }
    }
    return json.with("pending", ofQueue(name, pending.pending()).stream().map(this::row).toList());
  }

  /**
   * A queue's snapshots, oldest first; those that are still arriving from another host follow, and
   * ends that could not be archived. The queue may have nothing but what arrives, and be made then.
   */
  JsonObject snapshots(QueueName name, Call call) throws IOException {
    List<Snapshot> uploading = arrivals.uploading(name);
    List<JsonObject> rows = new ArrayList<>();
    if (uploading.isEmpty() || queues.exists(name)) {
      QueueContent content = queues.look(name);
      boolean moved = moved(name);
      for (Element element : content.elements()) {
        rows.add(row(element, content, moved));
      }
    }
    uploading.forEach(snapshot -> rows.add(row(snapshot)));
    List<PendingLayer> waiting = ofQueue(name, pending.pending());
    long failed = 0;
    for (PendingLayer layer : waiting) {
      if (layer.state() == PendingLayer.State.FAILED) {
        rows.add(row(layer));
        failed++;
      }
    }
    return Pages.page(call, "snapshots", rows, QueueViews::place, row -> row)
        .with("waiting", waiting.size() - failed);
  }

  /** In its queue, before what arrives, before what could not be archived. */
  private static String place(JsonObject row) {
    Object state = row.members().get("state");
    boolean inQueue = row.has("chosen") && !"uploading".equals(state);
    return (inQueue ? "0 " : "uploading".equals(state) ? "1 " : "2 ")
        + row.members().get("time")
        + " "
        + row.members().get("id");
  }

  /** All that is known of one snapshot. */
  JsonObject snapshot(Element element, QueueContent content) throws IOException {
    Snapshot snapshot = snapshots.read(element.id());
    Archive archive = snapshot.archive();
    End end = element.end();
    KeyId key = snapshot.key();
    boolean moved = moved(content.name());
    JsonObject row = row(element, content, moved);
    if (snapshot.locked() != null) {
      boolean held = element.pinned() || element.id().equals(content.chosen());
      row.with("state", SnapshotState.LOCKED.word())
          .with("message", snapshot.locked())
          .with("actions", actions(StateRules.snapshot(SnapshotState.LOCKED, held, moved)));
    }
    return row.with("key", key == null ? null : key.hex())
        .with("queue", snapshot.queue().value())
        .with("container", snapshot.container())
        .with("image", snapshot.imageName())
        .with("imageId", snapshot.imageId())
        .with("ran", end.ran() == null ? null : end.ran().toString())
        .with("tarBytes", archive.tarBytes())
        .with("chunks", archive.chunks().size())
        .with("notHeld", snapshot.notHeld())
        .with("leftOut", leftOut(snapshot))
        .with("omitted", archive.omitted())
        .with("omittedCount", archive.omittedCount())
        .with("spec", snapshot.spec());
  }

  /** What is known of one that is still arriving. */
  JsonObject uploading(Snapshot snapshot) throws IOException {
    return row(snapshot)
        .with("queue", snapshot.queue().value())
        .with("container", snapshot.container())
        .with("image", snapshot.imageName());
  }

  /** What its container's label had left out; none is known of one that is locked. */
  private static List<String> leftOut(Snapshot snapshot) throws IOException {
    boolean imported = snapshot.end().reason() == End.Reason.IMPORTED;
    JsonObject labels =
        !imported && snapshot.spec().members().get("config") instanceof JsonObject config
            ? config.objectOrNull("Labels")
            : null;
    return labels == null ? List.of() : ContainerSettings.excluded(labels.members());
  }

  private JsonObject queue(QueueName name, List<PendingLayer> waiting, Set<QueueName> inUse)
      throws IOException {
    JsonObject json = new JsonObject().with("name", name.value());
    String movedTo = fences.movedTo(name);
    if (movedTo != null) {
      json.with("movedTo", movedTo);
    }
    List<PendingLayer> own = ofQueue(name, waiting);
    try {
      QueueContent content = queues.look(name);
      long total = 0;
      for (Element element : content.elements()) {
        total += size(element.id()).sizeBytes();
      }
      return json.with("length", content.keep())
          .with("snapshots", content.elements().size())
          .with("sizeBytes", total)
          .with("state", state(own).word())
          .with("encrypted", content.encrypted())
          .with("latest", content.tail().map(tail -> time(tail.time())).orElse(null))
          .with("actions", actions(actions(content, own, inUse, movedTo != null)));
    } catch (RegenException.Damaged e) {
      return json.with("length", null)
          .with("snapshots", null)
          .with("sizeBytes", null)
          .with("state", QueueState.DAMAGED.word())
          .with("encrypted", null)
          .with("latest", null)
          .with("message", e.getMessage())
          .with(
              "actions",
              actions(StateRules.queue(QueueState.DAMAGED, false, false, movedTo != null)));
    }
  }

  private JsonObject row(Element element, QueueContent content, boolean moved) throws IOException {
    JsonObject json =
        new JsonObject().with("id", element.id().value()).with("time", time(element.time()));
    boolean mixed = element.end().inconsistent();
    SnapshotState state = Snapshots.whole(element);
    String message = mixed ? INCONSISTENT : null;
    boolean encrypted = false;
    boolean chosen = element.id().equals(content.chosen());
    try {
      Size size = size(element.id());
      json.with("sizeBytes", size.sizeBytes())
          .with("newBytes", size.newBytes())
          .with("entries", size.entries());
      encrypted = size.key() != null;
      String locked = snapshots.whyLocked(size.key());
      state = locked == null ? state : SnapshotState.LOCKED;
      message = locked == null ? message : locked;
    } catch (RegenException e) {
      json.with("sizeBytes", null).with("newBytes", null).with("entries", null);
      state = SnapshotState.DAMAGED;
    }
    return json.with("reason", word(element.end().reason()))
        .with("exitCode", element.end().exitCode())
        .with("good", word(element.end().good()))
        .with("pinned", element.pinned())
        .with("state", state.word())
        .with("encrypted", encrypted)
        .with("message", message)
        .with("chosen", chosen)
        .with("actions", actions(StateRules.snapshot(state, element.pinned() || chosen, moved)));
  }

  private static JsonObject row(Snapshot snapshot) {
    return new JsonObject()
        .with("id", snapshot.id().value())
        .with("time", time(snapshot.time()))
        .with("sizeBytes", snapshot.archive().storedBytes())
        .with("newBytes", null)
        .with("entries", snapshot.archive().entries())
        .with("reason", word(snapshot.end().reason()))
        .with("exitCode", snapshot.end().exitCode())
        .with("good", word(snapshot.end().good()))
        .with("pinned", false)
        .with("state", SnapshotState.UPLOADING.word())
        .with("encrypted", snapshot.key() != null)
        .with("message", null)
        .with("chosen", false)
        .with("actions", actions(StateRules.snapshot(SnapshotState.UPLOADING, false, false)));
  }

  private JsonObject row(PendingLayer layer) {
    SnapshotState state = SnapshotState.valueOf(layer.state().name());
    return new JsonObject()
        .with("id", layer.layer().job())
        .with("time", time(layer.layer().endedAt()))
        .with("sizeBytes", null)
        .with("newBytes", null)
        .with("entries", null)
        .with("reason", word(End.Reason.UNKNOWN))
        .with("exitCode", null)
        .with("good", word(End.Good.UNKNOWN))
        .with("pinned", false)
        .with("state", state.word())
        .with("message", layer.message())
        .with("actions", actions(StateRules.snapshot(state, false, false)));
  }

  private Size size(SnapshotId id) throws IOException {
    Stat file = Fd.statIfThere(snapshots.file(id));
    synchronized (sizes) {
      Size known = sizes.get(id);
      if (known != null && known.file().equals(file)) {
        return known;
      }
    }
    Snapshot snapshot = snapshots.read(id);
    Archive archive = snapshot.archive();
    Stat read = file == null ? Fd.stat(snapshots.file(id)) : file;
    Size size =
        new Size(
            read, archive.storedBytes(), archive.newBytes(), archive.entries(), snapshot.key());
    synchronized (sizes) {
      if (sizes.size() >= SIZES_MAX) {
        sizes.clear();
      }
      sizes.put(id, size);
    }
    return size;
  }

  private static QueueState state(List<PendingLayer> own) {
    boolean failed = own.stream().anyMatch(layer -> layer.state() == PendingLayer.State.FAILED);
    return failed ? QueueState.FAILED : own.isEmpty() ? QueueState.READY : QueueState.ARCHIVING;
  }

  /**
   * What may be done with a queue now.
   *
   * @throws RegenException.Damaged if it cannot be read
   */
  Set<Action> actions(QueueName name) throws IOException {
    return actions(queues.look(name), ofQueue(name, pending.pending()), inUse(), moved(name));
  }

  private static Set<Action> actions(
      QueueContent content, List<PendingLayer> own, Set<QueueName> inUse, boolean moved) {
    boolean pinned = content.elements().stream().anyMatch(Element::pinned);
    return StateRules.queue(
        state(own), content.elements().isEmpty(), pinned || inUse.contains(content.name()), moved);
  }

  /** The queues that a container runs on now. */
  private Set<QueueName> inUse() throws IOException {
    Set<QueueName> inUse = new HashSet<>();
    for (KnownContainers.Known container : containers.list()) {
      if (container.running()) {
        inUse.add(container.queue());
      }
    }
    return inUse;
  }

  /** Whether no run of a queue may begin here. */
  boolean moved(QueueName name) throws IOException {
    return fences.movedTo(name) != null;
  }

  static List<String> actions(Collection<Action> actions) {
    return StateRules.words(actions);
  }

  private static List<PendingLayer> ofQueue(QueueName name, List<PendingLayer> all) {
    return all.stream().filter(layer -> layer.layer().queue().equals(name)).toList();
  }

  static String time(Instant time) {
    return MILLISECONDS.format(time);
  }

  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
