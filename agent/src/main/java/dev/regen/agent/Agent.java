package dev.regen.agent;

import dev.regen.agent.http.ActivityResource;
import dev.regen.agent.http.ApiServer;
import dev.regen.agent.http.Eviction;
import dev.regen.agent.http.QueueResource;
import dev.regen.agent.http.Routes;
import dev.regen.agent.http.SnapshotResource;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.jobs.Pending;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The node agent, wired by hand. One may run on a home at a time. */
public final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  private final AgentConfiguration configuration;
  private final AgentLock lock;
  private final Engine engine;
  private final ApiServer api;

  /**
   * Opens everything; nothing runs before {@link #start}.
   *
   * @throws dev.regen.snapshot.RegenException.Refused if another agent runs
   */
  public Agent(
      AgentConfiguration configuration, Map<String, String> environment, InstantSource clock)
      throws IOException {
    this.configuration = configuration;
    Disk disk = new LocalDisk();
    Path home = configuration.home();
    new Records(disk).makeDirectory(home);
    Files.createDirectories(
        configuration.run(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    lock = AgentLock.take(configuration.run().resolve("agent.pid"));

    SnapshotQueues queues = new SnapshotQueues(disk, home.resolve("queues"));
    SnapshotStore snapshots = new SnapshotStore(disk, home.resolve("snapshots"));
    Events events = new Events(disk, home, clock);
    Jobs jobs = new Jobs(clock);
    engine = Engine.of(environment);
    Pending pending = List::of;
    Eviction eviction = (_, left) -> snapshots.remove(left);

    Routes routes = new Routes();
    new QueueResource(queues, snapshots, pending, eviction).addTo(routes);
    new SnapshotResource(queues, snapshots, pending, eviction).addTo(routes);
    new ActivityResource(events, jobs).addTo(routes);
    api = new ApiServer(configuration.run().resolve("regen.sock"), routes);
  }

  /** Answers from then on. */
  public void start() throws IOException {
    api.start();
    LOG.info("ready: home {}, socket in {}", configuration.home(), configuration.run());
  }

  @Override
  public void close() throws IOException {
    try (lock;
        engine;
        api) {
      LOG.info("stopping");
    }
  }
}
