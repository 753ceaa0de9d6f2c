package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.EngineEvent;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.LabelNames;
import dev.regen.runtime.os.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cares for containers under plain runc that bear the label {@code regen.queue}: captured when the
 * engine tells of their end. With {@code --rm} or a restart policy that comes too late; then it is
 * said once, at the start, and nothing is captured.
 */
public final class PlainContainers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PlainContainers.class);
  private static final int REMEMBERED_MAX = 1000;

  private static final String GONE =
      "it was removed ('docker rm') before its layer could be read, so what its last run wrote is"
          + " lost; the queue is as before. With --runtime=regen such an end is kept";

  private final Targets targets;
  private final PlainLayers layers;
  private final SpoolDrain drain;
  private final Events events;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("plain").factory());

  /**
   * The uppers of running containers; where the engine tells none, the mount is gone at the end.
   */
  private final Map<String, Path> uppers = remembered();

  /** The containers whose labels have been told of. */
  private final Set<String> labelled = Collections.newSetFromMap(remembered());

  public PlainContainers(Targets targets, PlainLayers layers, SpoolDrain drain, Events events) {
    this.targets = targets;
    this.layers = layers;
    this.drain = drain;
    this.events = events;
  }

  private static <V> Map<String, V> remembered() {
    return new LinkedHashMap<>() {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
        return size() > REMEMBERED_MAX;
      }
    };
  }

  /** Hears one of the engine's events; what is to be done is done on another thread. */
  public void hear(EngineEvent event) {
    if (event.kind() == EngineEvent.Kind.START
        && !LabelNames.unknown(event.attributes().members().keySet()).isEmpty()) {
      worker.execute(() -> tellOfLabels(event));
    }
    if (!event.attributes().has("regen.queue")) {
      return;
    }
    switch (event.kind()) {
      case START -> worker.execute(() -> quietly(event, this::started));
      case DIE -> worker.execute(() -> quietly(event, this::ended));
      case KILL, OOM, DESTROY -> {}
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }

  /** Says it at a container's first start that is heard of; the extension says it of its own. */
  private void tellOfLabels(EngineEvent event) {
    try {
      Optional<Target> found = targets.find(event.container());
      if (found.isEmpty() || found.get().underExtension() || !labelled.add(event.container())) {
        return;
      }
      for (String words : LabelNames.unknown(event.attributes().members().keySet())) {
        events.tell(
            Event.Kind.UNKNOWN_LABEL,
            null,
            "container " + found.get().name() + " " + words + "; it runs under plain runc");
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("container {}: {}", event.container(), e.toString());
    }
  }

  @FunctionalInterface
  private interface Step {
    void of(Target target, EngineEvent event) throws IOException;
  }

  private void quietly(EngineEvent event, Step step) {
    try {
      Optional<Target> found = targets.find(event.container());
      if (found.isPresent() && isPlain(found.get())) {
        step.of(found.get(), event);
      } else if (found.isEmpty()
          && event.kind() == EngineEvent.Kind.DIE
          && uppers.containsKey(event.container())) {
        failed(event, GONE);
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("container {}: {}", event.container(), e.toString());
      boolean gone = e instanceof ErrnoException errno && errno.is(ErrnoException.ENOENT);
      failed(event, gone ? GONE : "its end was not captured: " + Why.of(e));
    }
  }

  private void failed(EngineEvent event, String what) {
    Map<String, ? extends @Nullable Object> told = event.attributes().members();
    Object name = told.get("name");
    events.tell(
        Event.Kind.FAILED,
        told.get("regen.queue") instanceof String queue ? queue : null,
        "container "
            + (name == null ? event.container() : name)
            + ", which ran under plain runc: "
            + what);
  }

  private static boolean isPlain(Target target) throws IOException {
    return target.queue() != null && !target.underExtension();
  }

  private void started(Target target, EngineEvent event) throws IOException {
    if (!isKept(target)) {
      events.tell(
          Event.Kind.NOT_CARED_FOR,
          String.valueOf(target.queue()),
          "container "
              + target.name()
              + " runs under plain runc with --rm or a restart policy: its end cannot be captured;"
              + " run it with --runtime=regen");
      return;
    }
    Path upper = layers.upper(target);
    if (upper != null) {
      uppers.put(event.container(), upper);
    }
  }

  private void ended(Target target, EngineEvent event) throws IOException {
    Instant endedAt = event.time().truncatedTo(ChronoUnit.MILLIS);
    if (!isKept(target) || layers.isPassedOver(target.id(), endedAt)) {
      return;
    }
    if (target.running()) {
      throw new IOException(
          target.words() + " was started again before its end was set aside; its next end is");
    }
    @Nullable Path upper = layers.upper(target);
    if (upper == null) {
      upper = uppers.get(event.container());
    }
    if (upper == null) {
      throw new IOException("its writable layer was not found");
    }
    if (layers.linkEnd(target, upper, endedAt) != null) {
      drain.look();
    }
  }

  private static boolean isKept(Target target) throws IOException {
    JsonObject policy = target.inspected().object("HostConfig").objectOrNull("RestartPolicy");
    String name = policy == null ? null : policy.stringOrNull("Name");
    return !target.autoRemove() && (name == null || name.isEmpty() || name.equals("no"));
  }
}
