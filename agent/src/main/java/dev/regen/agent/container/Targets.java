package dev.regen.agent.container;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds containers by what a person calls them: name, id, or queue. */
public final class Targets {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}");
  private static final String QUEUE_LABEL = "regen.queue";

  private final Engine engine;
  private final KnownContainers containers;

  public Targets(Engine engine, KnownContainers containers) {
    this.engine = engine;
    this.containers = containers;
  }

  /**
   * The container with that name or id, or the one that ran last under the queue of that name;
   * empty if the engine has neither.
   */
  Optional<Target> find(String text) throws IOException {
    if (!NAME.matcher(text).matches()) {
      throw new RegenException.Misuse(
          "'" + text.replaceAll("\\p{Cntrl}", "?") + "' is no name of a container");
    }
    Optional<JsonObject> named = engine.container(text);
    if (named.isPresent()) {
      return Optional.of(target(named.get()));
    }
    for (KnownContainers.Known known : containers.list()) {
      if (known.queue().value().equals(text)) {
        Optional<JsonObject> found = engine.container(known.id().value());
        if (found.isPresent()) {
          return Optional.of(target(found.get()));
        }
      }
    }
    return Optional.empty();
  }

  /** All containers of a queue that the engine has, those that run first. */
  List<Target> of(QueueName queue) throws IOException {
    Set<String> ids = new LinkedHashSet<>(engine.labelled(QUEUE_LABEL, queue.value()));
    for (KnownContainers.Known known : containers.list()) {
      if (known.queue().equals(queue)) {
        ids.add(known.id().value());
      }
    }
    List<Target> all = new ArrayList<>();
    for (String id : ids) {
      Optional<JsonObject> found = engine.container(id);
      if (found.isPresent()) {
        Target target = target(found.get());
        if (queue.equals(target.queue())) {
          all.add(target.running() ? 0 : all.size(), target);
        }
      }
    }
    Optional<JsonObject> named = engine.container(queue.value());
    if (named.isPresent() && !ids.contains(named.get().string("Id"))) {
      Target target = target(named.get());
      // It has never run: its queue is the one of its name, if it will have one.
      if (target.queue() == null && target.underExtension()) {
        all.add(new Target(target.id(), target.name(), target.inspected(), null, queue));
      }
    }
    return all;
  }

  /**
   * Checks that there is a container for {@code text}, as {@link #find} reads it.
   *
   * @throws RegenException.NotFound if the engine has none
   */
  public void require(String text) throws IOException {
    if (find(text).isEmpty()) {
      throw new RegenException.NotFound("no container '" + text + "'");
    }
  }

  /** The container with that id, for those that a start may wait for; the engine has 2 s. */
  Optional<Target> findBriefly(ContainerId id) throws IOException {
    Optional<JsonObject> found = engine.containerBriefly(id.value());
    return found.isPresent() ? Optional.of(target(found.get())) : Optional.empty();
  }

  /** Whether Regen's run records tell of the container; asks no engine. */
  boolean isUnderExtension(ContainerId id) throws IOException {
    return containers.find(id) != null;
  }

  /**
   * Refuses what works on a layer where it is, if that is not to be seen here.
   *
   * @throws RegenException.Refused and why
   */
  void refuseElsewhere(Target target) throws IOException {
    if (containers.isElsewhere(target.id())) {
      throw new RegenException.Refused(
          "the layer of container "
              + target.name()
              + " is mounted for its engine alone, and this command does not go there; at the end"
              + " of each run it is kept all the same ('docker stop "
              + target.name()
              + "')");
    }
  }

  /** The same container, as it is now. */
  Target again(Target target) throws IOException {
    return target(
        engine
            .container(target.id().value())
            .orElseThrow(() ->
                new RegenException.Refused(
                    "container " + target.name() + " was removed meanwhile")));
  }

  private Target target(JsonObject inspected) throws IOException {
    ContainerId id = new ContainerId(inspected.string("Id"));
    String slashed = inspected.string("Name");
    String name = slashed.startsWith("/") ? slashed.substring(1) : slashed;
    KnownContainers.Known known = containers.find(id);
    return new Target(id, name, inspected, known, queue(inspected, known));
  }

  private static @Nullable QueueName queue(
      JsonObject inspected, KnownContainers.@Nullable Known known) throws IOException {
    if (known != null) {
      return known.queue();
    }
    JsonObject labels = inspected.object("Config").objectOrNull("Labels");
    String label = labels == null ? null : labels.stringOrNull(QUEUE_LABEL);
    return label != null && QueueName.isValid(label) ? new QueueName(label) : null;
  }
}
