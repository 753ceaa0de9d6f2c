package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.store.EndCodec;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a queue holds as JSON, and back. */
final class QueueCodec {
  /** The highest version that can be read. */
  static final long VERSION = 2;

  private static final long PLAIN_VERSION = 1;
  static final long BYTES_MAX = 4 << 20;

  private QueueCodec() {}

  /** The file's bytes; a Regen that would not encrypt must not take the file for one of its own. */
  static byte[] bytes(QueueContent queue) {
    return SealedRecord.seal(queue.encrypted() ? VERSION : PLAIN_VERSION, encode(queue));
  }

  private static JsonObject encode(QueueContent queue) {
    SnapshotId chosen = queue.chosen();
    return new JsonObject()
        .with("name", queue.name().value())
        .with("keep", queue.keep())
        .with("asked", queue.asked())
        .with("elements", queue.elements().stream().map(QueueCodec::encode).toList())
        .with("chosen", chosen == null ? null : chosen.value())
        .with("jobs", queue.jobs().stream().map(QueueCodec::encode).toList())
        .with("encrypted", queue.encrypted());
  }

  static QueueContent decode(JsonObject json) throws IOException {
    List<Element> elements = new ArrayList<>();
    for (JsonObject element : json.objects("elements")) {
      elements.add(element(element));
    }
    List<JobDone> jobs = new ArrayList<>();
    for (JsonObject job : json.objects("jobs")) {
      jobs.add(
          new JobDone(job.string("job"), new SnapshotId(job.string("id")), job.flag("changed")));
    }
    return new QueueContent(
        new QueueName(json.string("name")),
        Math.toIntExact(json.number("keep")),
        Math.toIntExact(json.number("asked")),
        elements,
        idOrNull(json.stringOrNull("chosen")),
        jobs,
        json.flag("encrypted"));
  }

  private static JsonObject encode(Element element) {
    return new JsonObject()
        .with("id", element.id().value())
        .with("since", element.since())
        .with("time", element.time())
        .with("end", EndCodec.encode(element.end()))
        .with("pinned", element.pinned());
  }

  private static Element element(JsonObject json) throws IOException {
    return new Element(
        new SnapshotId(json.string("id")),
        json.instant(json.has("since") ? "since" : "time"),
        json.instant("time"),
        EndCodec.decode(json.object("end")),
        json.flag("pinned"));
  }

  private static JsonObject encode(JobDone done) {
    return new JsonObject()
        .with("job", done.job())
        .with("id", done.id().value())
        .with("changed", done.changed());
  }

  private static @Nullable SnapshotId idOrNull(@Nullable String id) {
    return id == null ? null : new SnapshotId(id);
  }
}
