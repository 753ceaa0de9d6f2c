package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Database;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Session;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what has changed, of this manager and of others, and passes it on in order. Woken by this
 * manager's own writer and by what the database tells; looks by itself now and then, for either may
 * be lost.
 */
final class Tail implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Tail.class);
  private static final int AT_ONCE = 500;
  private static final Duration LOOK_EVERY = Duration.ofMillis(500);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

  private final FleetUrl url;
  private final Readers readers;
  private final FleetChanges changes;
  private final Consumer<List<FleetChanges.Entry>> each;
  private final Runnable lost;
  private final Semaphore woken = new Semaphore(0);
  private final Thread reading;
  private final Thread listening;
  private volatile boolean closed;

  /**
   * Reads from now on.
   *
   * @param each hears what has changed
   * @param lost called when so much has changed that some of it cannot be read any more
   */
  Tail(
      FleetUrl url,
      Readers readers,
      FleetChanges changes,
      Consumer<List<FleetChanges.Entry>> each,
      Runnable lost) {
    this.url = url;
    this.readers = readers;
    this.changes = changes;
    this.each = each;
    this.lost = lost;
    reading = Thread.ofPlatform().daemon().name("fleet-tail").start(this::read);
    listening = Thread.ofPlatform().daemon().name("fleet-listen").start(this::listen);
  }

  void wake() {
    if (woken.availablePermits() == 0) {
      woken.release();
    }
  }

  @Override
  public void close() {
    closed = true;
    wake();
    listening.interrupt();
    try {
      reading.join(AFTER_FAILURE.multipliedBy(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    while (!closed) {
      try {
        boolean _ = woken.tryAcquire(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
        woken.drainPermits();
        while (!closed && readSome()) {
          // There is more.
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("what changes in the fleet cannot be read: {}", Why.of(e));
        pause();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private boolean readSome() throws IOException, InterruptedException {
    long from = changes.last();
    long pruned =
        readers.read(session -> session.number("SELECT value FROM counters WHERE name = 'pruned'"));
    List<FleetChanges.Entry> entries =
        readers.read(session ->
            session.all(
                FleetChanges.Entry::of,
                "SELECT seq, kind, node, wake, data FROM changes WHERE seq > ?"
                    + " ORDER BY seq LIMIT ?",
                from,
                AT_ONCE));
    if (entries.isEmpty()) {
      return false;
    }
    if (pruned > from) {
      lost.run();
    }
    changes.come(entries);
    each.accept(entries);
    return entries.size() == AT_ONCE;
  }

  /** For PostgreSQL; a file has nobody to tell. */
  private void listen() {
    if (url instanceof FleetUrl.Sqlite) {
      return;
    }
    Database database = Database.of(url);
    @Nullable Session session = null;
    while (!closed) {
      try {
        if (session == null) {
          session = database.reader();
        }
        database.await(session, (int) LOOK_EVERY.toMillis());
        wake();
      } catch (SQLException | IOException e) {
        close(session);
        session = null;
        pause();
      } catch (InterruptedException e) {
        break;
      }
    }
    close(session);
  }

  private static void pause() {
    try {
      Thread.sleep(AFTER_FAILURE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(@Nullable Session session) {
    if (session != null) {
      try {
        session.close();
      } catch (SQLException e) {
        // It is of no use any more.
      }
    }
  }
}
