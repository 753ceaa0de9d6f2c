package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.ImageLayers;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.CaptureResult;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.capture.Hold;
import dev.regen.snapshot.layer.LayerExport;
import dev.regen.snapshot.layer.LayerImport;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Layers out and in: {@code …/snapshots/S/archive} and {@code …/import}. */
public final class TransferResource {
  private static final End IMPORTED = new End(End.Reason.IMPORTED, null, End.Good.UNKNOWN, null);

  private final Snapshots found;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Captures captures;
  private final LayerExport export;
  private final ImageLayers images;
  private final Jobs jobs;
  private final Events events;
  private final Disk disk;
  private final Path temporary;
  private final InstantSource clock;

  public TransferResource(
      Snapshots found,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Captures captures,
      LayerExport export,
      ImageLayers images,
      Jobs jobs,
      Events events,
      Disk disk,
      Path home,
      InstantSource clock) {
    this.found = found;
    this.queues = queues;
    this.snapshots = snapshots;
    this.captures = captures;
    this.export = export;
    this.images = images;
    this.jobs = jobs;
    this.events = events;
    this.disk = disk;
    this.temporary = home.resolve("tmp");
    this.clock = clock;
  }

  public void addTo(Routes routes) {
    routes.add("exportSnapshot", this::export).add("importLayer", this::importLayer);
  }

  private Answer export(Call call) throws IOException {
    LayerExport.Form form = form(call.query("form"));
    Element element = found.require(Action.EXPORT, call.queue(), call.part("snapshot"));
    Snapshot snapshot = snapshots.read(element.id());
    String type =
        form == LayerExport.Form.STORED
            ? "application/vnd.oci.image.layer.v1.tar+zstd"
            : "application/vnd.oci.image.layer.v1.tar";
    return new Answer.Stream(
        type,
        out -> {
          try (Hold _ = captures.reading()) {
            export.write(snapshot.archive(), form, out);
          }
        });
  }

  private static LayerExport.Form form(@Nullable String text) throws RegenException {
    return switch (text) {
      case null -> LayerExport.Form.TAR;
      case "tar" -> LayerExport.Form.TAR;
      case "stored" -> LayerExport.Form.STORED;
      default -> throw new RegenException.BadInput("'form' is tar or stored");
    };
  }

  private Answer importLayer(Call call) throws IOException, InterruptedException {
    QueueName name = call.queue();
    String asked = call.query("image");
    Image image = asked == null ? null : new Image(images.id(asked), asked);
    Job job =
        jobs.runHere(
            "import", name.value(), begun -> unpackAndCapture(name, image, call.stream(), begun));
    if (job.failure() != null) {
      throw new ProblemException(job.failure());
    }
    return Answer.ok(job.json().object("result"));
  }

  private record Image(String id, String name) {}

  private JsonObject unpackAndCapture(
      QueueName name, @Nullable Image image, InputStream layer, Job job) throws IOException {
    new Records(disk).makeDirectory(temporary);
    Path tree = temporary.resolve("import-" + UUID.randomUUID());
    boolean made = !queues.exists(name);
    try {
      job.step("unpacking");
      new LayerImport().unpack(layer, tree, LayerImport.Limits.of(temporary));
      job.step("archiving");
      CaptureResult result =
          captures.capture(frozen(name, image, tree), IMPORTED, job, job::cancelled);
      made = false;
      return new JsonObject().with("message", told(name, result));
    } finally {
      if (made) {
        queues.removeUnused(name);
      }
      TreeRemoval.remove(tree);
    }
  }

  private FrozenLayer frozen(QueueName name, @Nullable Image image, Path tree) throws IOException {
    Optional<QueueContent> queue =
        queues.exists(name) ? Optional.of(queues.look(name)) : Optional.empty();
    Optional<Element> tail = queue.flatMap(QueueContent::tail);
    Snapshot before = tail.isPresent() ? snapshots.read(tail.get().id()) : null;
    LayerFacts facts =
        new LayerFacts(
            new ContainerId("imported"),
            name,
            queue.map(QueueContent::asked).orElse(ContainerSettings.KEEP_DEFAULT),
            image != null ? image.id() : before == null ? "" : before.imageId(),
            image != null ? image.name() : before == null ? "" : before.imageName(),
            List.of("everything that was not in the imported layer"),
            before == null ? new JsonObject() : before.spec());
    return new FrozenLayer(
        String.valueOf(tree.getFileName()),
        facts,
        tree,
        FrozenLayer.Kind.IN_PLACE,
        Fd.stat(tree).inode(),
        SeenRun.between(null, clock.instant().truncatedTo(ChronoUnit.MILLIS)),
        List.of());
  }

  private String told(QueueName name, CaptureResult result) {
    String message =
        switch (result) {
          case CaptureResult.Stored stored ->
              "imported as snapshot "
                  + stored.snapshot().id().shortened()
                  + " of queue "
                  + name
                  + image(stored.snapshot());
          case CaptureResult.Unchanged same ->
              "queue " + name + " holds that already, as snapshot " + same.tail().shortened();
          case CaptureResult.Superseded old ->
              "snapshot " + old.snapshot().shortened() + " has left queue " + name + " since";
        };
    events.tell(Event.Kind.IMPORTED, name.value(), message);
    return message;
  }

  private static String image(Snapshot snapshot) {
    return snapshot.imageId().isEmpty()
        ? "; it names no image, so the next run lays it on its own ('--image IMAGE' says which it"
            + " belongs on)"
        : ", on image " + snapshot.imageName();
  }
}
