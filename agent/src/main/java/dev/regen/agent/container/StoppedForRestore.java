package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.runtime.ContainerId;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers on the disk which running containers a restore has stopped: if the agent dies
 * meanwhile, the next one starts them again, with the layer that they have then.
 */
public final class StoppedForRestore {
  private static final Logger LOG = LoggerFactory.getLogger(StoppedForRestore.class);

  private final Engine engine;
  private final Targets targets;
  private final Events events;
  private final Disk disk;
  private final Path marks;

  /** What an agent before this one left. */
  private final List<Path> left;

  private final Set<String> own = ConcurrentHashMap.newKeySet();

  /** {@code home} is {@code /var/lib/regen}. */
  public StoppedForRestore(Engine engine, Targets targets, Events events, Disk disk, Path home)
      throws IOException {
    this.engine = engine;
    this.targets = targets;
    this.events = events;
    this.disk = disk;
    this.marks = home.resolve("stopped");
    this.left = disk.list(marks);
  }

  /** Notes, to last, that a container is about to be stopped. */
  void add(ContainerId id) throws IOException {
    own.add(id.value());
    new Records(disk).makeDirectory(marks);
    new Records(disk).replace(marks.resolve(id.value()), new byte[0]);
  }

  /** The restore is over, one way or the other. */
  void remove(ContainerId id) throws IOException {
    own.remove(id.value());
    new Records(disk).remove(marks.resolve(id.value()));
  }

  /**
   * Starts the containers that an agent before this one had stopped.
   *
   * @throws EngineException.Away if the engine does not answer; may be called again
   */
  public void startAgain() throws IOException {
    for (Path mark : left) {
      String id = String.valueOf(mark.getFileName());
      if (!own.contains(id)) {
        startAgain(id);
        new Records(disk).remove(mark);
      }
    }
  }

  private void startAgain(String id) throws IOException {
    Optional<Target> found =
        id.startsWith(Records.UNFINISHED) ? Optional.empty() : targets.find(id);
    if (found.isEmpty() || found.get().running()) {
      return;
    }
    String words = found.get().words();
    try {
      engine.start(id);
      events.tell(
          Event.Kind.STARTED_AGAIN,
          null,
          "the restore of " + words + " broke off with the agent; it runs with the layer it has");
    } catch (EngineException.Refused e) {
      LOG.warn("{} stays stopped after a restore that broke off: {}", words, e.getMessage());
    }
  }
}
