package dev.regen.agent.fleet.db;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A few connections for reading, for many threads. */
public final class Readers implements AutoCloseable {
  private static final int CONNECTIONS_MAX = 3;
  private static final Duration WAIT_LIMIT = Duration.ofSeconds(10);

  private final Database database;
  private final Semaphore free = new Semaphore(CONNECTIONS_MAX, true);
  private final Deque<Session> idle = new ArrayDeque<>();
  private boolean closed;

  public Readers(FleetUrl url) {
    this.database = Database.of(url);
  }

  /** What is read at one moment, if it is one statement. */
  @FunctionalInterface
  public interface Query<T extends @Nullable Object> {
    T of(Session session) throws SQLException, IOException;
  }

  public <T extends @Nullable Object> T read(Query<T> query)
      throws IOException, InterruptedException {
    if (!free.tryAcquire(WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw away("has too much to do");
    }
    try {
      Session session = take();
      T value;
      try {
        value = query.of(session);
      } catch (SQLException | RuntimeException e) {
        session.close();
        throw e;
      } catch (IOException e) {
        back(session);
        throw e;
      }
      back(session);
      return value;
    } catch (SQLException e) {
      throw away(Why.of(e));
    } finally {
      free.release();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    for (Session session : idle) {
      try {
        session.close();
      } catch (SQLException e) {
        // It is of no use any more.
      }
    }
    idle.clear();
  }

  private Session take() throws SQLException, IOException {
    synchronized (this) {
      if (!idle.isEmpty()) {
        return idle.pop();
      }
    }
    return database.reader();
  }

  private synchronized void back(Session session) throws SQLException {
    if (closed) {
      session.close();
    } else {
      idle.push(session);
    }
  }

  private static ProblemException away(String what) {
    return new ProblemException(Failure.Code.UNAVAILABLE, "the fleet's database " + what);
  }
}
