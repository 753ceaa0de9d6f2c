package dev.regen.agent.fleet;

import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.Audit;
import dev.regen.agent.api.Principal;
import dev.regen.agent.api.RateLimit;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.agent.http.ActivityResource;
import dev.regen.agent.jobs.Failure;
import dev.regen.agent.observe.Exposition;
import dev.regen.agent.observe.ManagerMetrics;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A manager's part in a fleet, from its database to what answers requests. */
public final class Fleet implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Fleet.class);

  private static final double REFUSALS_PER_SECOND = 0.1;
  private static final int REFUSALS_AT_ONCE = 20;

  private final @Nullable FileChannel lock;
  private final Writer writer;
  private final Readers readers;
  private final FleetChanges changes;
  private final NodeStreams streams = new NodeStreams();
  private final JobWaits waits = new JobWaits();

  /** So that nobody pushes what matters out of the audit log. */
  private final RateLimit refusals = new RateLimit(REFUSALS_PER_SECOND, REFUSALS_AT_ONCE);

  private final FleetCallers callers;
  private final Tail tail;
  private final Deadlines deadlines;
  private final Mover mover;
  private final Routes routes;

  /** Opens the database and takes part from then on. */
  public static Fleet open(FleetUrl url, InstantSource clock) throws IOException {
    try {
      return new Fleet(url, clock);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private Fleet(FleetUrl url, InstantSource clock) throws IOException, InterruptedException {
    String manager = Ids.make();
    lock = url instanceof FleetUrl.Sqlite file ? lock(file.file()) : null;
    AtomicReference<@Nullable Tail> woken = new AtomicReference<>();
    writer =
        new Writer(
            url,
            clock,
            () -> {
              Tail one = woken.get();
              if (one != null) {
                one.wake();
              }
            });
    readers = new Readers(url);
    boolean alone = url instanceof FleetUrl.Sqlite;
    writer.write(edit -> {
      for (String other :
          alone
              ? edit.session().all(row -> row.text("id"), "SELECT id FROM managers LIMIT 1000")
              : List.<String>of()) {
        Nodes.forsake(edit, other);
        edit.write().update("DELETE FROM managers WHERE id = ?", other);
      }
      return Deadlines.tick(edit, manager);
    });
    changes =
        new FleetChanges(
            readers,
            readers.read(
                session -> session.number("SELECT value FROM counters WHERE name = 'seq'")));
    callers = new FleetCallers(readers, writer);
    mover = new Mover(writer);
    tail = new Tail(url, readers, changes, this::changed, () -> streams.wake(null));
    woken.set(tail);
    deadlines = new Deadlines(writer, manager);
    routes = new Routes(ApiDocument.of(Fleet.class), this::audit);
    new OperatorResource(readers, writer).addTo(routes);
    new FleetJobResource(ApiDocument.of(ActivityResource.class), readers, writer, waits)
        .addTo(routes);
    new MirrorResource(readers, writer).addTo(routes);
    new MoveResource(readers, writer, mover).addTo(routes);
    new NodeResource(manager, writer, readers, streams, changes).addTo(routes);
    routes.requireComplete();
  }

  /**
   * Makes a token without a manager, for whoever may write to the database.
   *
   * @return the token, which is shown once
   */
  public static String token(FleetUrl url, InstantSource clock, String name, Role role)
      throws IOException, InterruptedException {
    String checked = Names.name(name);
    try (Writer writer = new Writer(url, clock, () -> {})) {
      return writer.write(edit -> FleetTokens.add(edit, checked, role, "local"));
    }
  }

  public Routes routes() {
    return routes;
  }

  public FleetCallers callers() {
    return callers;
  }

  /** Adds how the fleet stands; each time somebody asks, that is read from the database. */
  public void measureBy(Exposition to) {
    ManagerMetrics.fleet(
        to,
        () ->
            counts(
                "SELECT count(*) FROM nodes WHERE manager IS NOT NULL",
                "connected",
                "SELECT count(*) FROM nodes WHERE manager IS NULL",
                "away"),
        () ->
            counts(
                "SELECT count(*) FROM jobs WHERE state = 'waiting'",
                "waiting",
                "SELECT count(*) FROM jobs WHERE state = 'running'",
                "running"),
        () ->
            counts(
                "SELECT count(*) FROM alarms WHERE acknowledged_at IS NULL",
                "new",
                "SELECT count(*) FROM alarms WHERE acknowledged_at IS NOT NULL",
                "acknowledged"));
  }

  private Map<String, Long> counts(String one, String itsState, String other, String otherState)
      throws IOException {
    try {
      return readers.read(
          session -> Map.of(itsState, session.number(one), otherState, session.number(other)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  /** Those who follow go, so that the server can be closed. */
  public void sendAway() {
    changes.close();
    streams.close();
  }

  @Override
  public void close() {
    sendAway();
    deadlines.close();
    mover.close();
    tail.close();
    writer.close();
    readers.close();
    close(lock);
  }

  /**
   * Who was refused, of those who are refused again and again the first ones; what was done is in
   * the transaction that did it.
   */
  private void audit(Audit.Entry entry) {
    if (entry.status() != Failure.Code.FORBIDDEN.status()
        && entry.status() != Failure.Code.UNAUTHORIZED.status()) {
      return;
    }
    if (refusals.take(entry.remote()) != null) {
      return;
    }
    Principal who = entry.who();
    String operation = entry.operation();
    try {
      writer.write(edit -> {
        edit.audit(
            who == null ? "somebody at " + entry.remote() : who.name(),
            operation == null ? "-" : operation,
            entry.target(),
            "refused: " + entry.status());
        return true;
      });
    } catch (IOException e) {
      LOG.warn("the audit log lacks who was refused {}: {}", operation, Why.of(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void changed(List<FleetChanges.Entry> entries) {
    for (FleetChanges.Entry entry : entries) {
      if (entry.wake()) {
        streams.wake(entry.node());
      }
      switch (entry.kind()) {
        case "token", "nodeGone" -> callers.forget();
        case "job" -> job(entry);
        default -> {}
      }
    }
  }

  private void job(FleetChanges.Entry entry) {
    mover.jobChanged();
    try {
      waits.changed(entry);
    } catch (IOException e) {
      LOG.warn("a change of a job cannot be read: {}", Why.of(e));
    }
  }

  /** Another manager would take this one's nodes for its own. */
  private static FileChannel lock(Path file) throws IOException {
    Path name = Path.of(file + ".lock");
    Path directory = file.getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    FileChannel channel =
        FileChannel.open(name, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Of this process.
    } catch (IOException e) {
      close(channel);
      throw e;
    }
    close(channel);
    throw new IOException(file + " is another manager's; several share a fleet in PostgreSQL");
  }

  private static void close(@Nullable FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        LOG.warn("a lock was not given back: {}", Why.of(e));
      }
    }
  }
}
