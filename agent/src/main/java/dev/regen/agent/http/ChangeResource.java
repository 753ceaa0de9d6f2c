package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Changes;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Event;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/changes}: what changes, as it does. Kinds are {@code job} (the job as it is now),
 * {@code event} (as in {@code /v1/events}), {@code queue} and {@code snapshot} ({@code queue},
 * {@code snapshot}, {@code what} has become of it).
 */
public final class ChangeResource {
  private final Changes changes;

  public ChangeResource(Changes changes) {
    this.changes = changes;
  }

  public void addTo(Routes routes) {
    routes.add("followChanges", this::follow);
  }

  /** A browser that comes back asks for the URL it had, and names its place in the header. */
  private Answer follow(Call call) throws RegenException {
    String last = call.header("Last-Event-ID");
    return new Answer.Follow(changes, last == null ? call.query("after") : last);
  }

  public void event(Event event) {
    changes.tell("event", event.json());
  }

  public void job(JsonObject job) {
    changes.tell("job", job);
  }

  public void arriving(QueueName queue, SnapshotId id, boolean arriving) {
    snapshot(queue, id, arriving ? "uploading" : "given-up");
  }

  /** A snapshot was written anew, as its encryption has changed. */
  public void sealed(QueueName queue, SnapshotId id, boolean encrypted) {
    snapshot(queue, id, encrypted ? "encrypted" : "decrypted");
  }

  public void queue(QueueName name, @Nullable QueueContent before, @Nullable QueueContent after) {
    if (after == null) {
      queue(name, "removed");
      return;
    }
    if (before == null) {
      queue(name, "made");
    }
    QueueContent old =
        before == null
            ? new QueueContent(
                name, after.keep(), after.asked(), List.of(), null, List.of(), after.encrypted())
            : before;
    for (Element element : old.elements()) {
      if (after.element(element.id()).isEmpty()) {
        snapshot(name, element.id(), "removed");
      }
    }
    for (Element element : after.elements()) {
      Optional<Element> was = old.element(element.id());
      if (was.isEmpty()) {
        snapshot(name, element.id(), "added");
      } else if (was.get().pinned() != element.pinned()) {
        snapshot(name, element.id(), element.pinned() ? "pinned" : "unpinned");
      } else if (!was.get().equals(element)) {
        snapshot(name, element.id(), "ended-again");
      }
    }
    if (old.keep() != after.keep()) {
      queue(name, "keep");
    }
    if (old.encrypted() != after.encrypted()) {
      queue(name, "encryption");
    }
    if (!Objects.equals(old.chosen(), after.chosen())) {
      queue(name, "chosen");
    }
  }

  private void queue(QueueName name, String what) {
    changes.tell("queue", new JsonObject().with("queue", name.value()).with("what", what));
  }

  private void snapshot(QueueName queue, SnapshotId id, String what) {
    changes.tell(
        "snapshot",
        new JsonObject()
            .with("queue", queue.value())
            .with("snapshot", id.value())
            .with("what", what));
  }
}
