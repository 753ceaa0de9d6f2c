package dev.regen.agent.fleet.db;

import dev.regen.agent.api.ProblemException;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes the database. One thread does so: all changes that wait go into one transaction, and each
 * caller goes on when that is durable, so that hundreds a second cost few forces.
 */
public final class Writer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
  private static final int WAITING_MAX = 8_192;
  private static final int TOGETHER_MAX = 256;
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);
  private static final Duration AFTER_FAILURE = Duration.ofMillis(200);

  private final Database database;
  private final FleetUrl url;
  private final InstantSource clock;
  private final Runnable told;
  private final BlockingQueue<Asked<?>> asked = new ArrayBlockingQueue<>(WAITING_MAX);
  private final Thread thread;
  private @Nullable Session session;
  private volatile boolean closed;

  /** A change that somebody wants. */
  @FunctionalInterface
  public interface Work<T extends @Nullable Object> {
    T in(Edit edit) throws SQLException, IOException;
  }

  private record Asked<T extends @Nullable Object>(Work<T> work, CompletableFuture<T> answer) {}

  /**
   * How one has gone.
   *
   * @param tell tells its caller, when all is durable
   * @param spoilt whether the transaction must not end well
   */
  private record Done(Runnable tell, boolean spoilt) {}

  /**
   * Opens the database and brings its tables to this version.
   *
   * @param told called after each transaction that told something
   */
  public Writer(FleetUrl url, InstantSource clock, Runnable told) throws IOException {
    this.database = Database.of(url);
    this.url = url;
    this.clock = clock;
    this.told = told;
    try {
      Session opened = database.writer();
      session = opened;
      Tables.bring(database, opened);
    } catch (SQLException | IOException e) {
      close(session);
      throw Database.failure(url, e);
    }
    thread = Thread.ofPlatform().daemon().name("fleet-writer").start(this::run);
  }

  /** Does something and returns when it is durable. */
  public <T extends @Nullable Object> T write(Work<T> work)
      throws IOException, InterruptedException {
    CompletableFuture<T> answer = new CompletableFuture<>();
    if (closed
        || !asked.offer(new Asked<>(work, answer), LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw away("has too much to do");
    }
    try {
      return answer.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw away("does not answer in time");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case ProblemException problem -> throw new ProblemException(problem.failure());
        case IOException failure -> throw failure;
        case RuntimeException mistake -> throw new IllegalStateException(mistake);
        case SQLException failure -> throw away(Why.of(failure));
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  /** Milliseconds since 1970. */
  public long now() {
    return clock.millis();
  }

  @Override
  public void close() {
    closed = true;
    // So that it does not wait for something to do.
    boolean _ = asked.offer(new Asked<>(_ -> true, new CompletableFuture<>()));
    try {
      thread.join(LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close(session);
  }

  private void run() {
    List<Asked<?>> together = new ArrayList<>();
    while (!closed) {
      try {
        Asked<?> first = asked.poll(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        together.add(first);
      } catch (InterruptedException e) {
        break;
      }
      asked.drainTo(together, TOGETHER_MAX - 1);
      handle(together);
      together.clear();
    }
    asked.forEach(one -> one.answer().completeExceptionally(away("is being closed")));
  }

  private void handle(List<Asked<?>> together) {
    try {
      if (!transaction(together) && together.size() > 1) {
        for (Asked<?> one : together) {
          transaction(List.of(one));
        }
      }
    } catch (SQLException | IOException e) {
      LOG.warn("the fleet's database {} fails: {}", url, Why.of(e));
      together.forEach(one -> one.answer().completeExceptionally(e));
      close(session);
      session = null;
      pause();
    }
  }

  /** Returns false if nothing was done, for one has failed after it had written. */
  private boolean transaction(List<Asked<?>> together) throws SQLException, IOException {
    Session open = session();
    database.begin(open);
    Edit.Numbers numbers = new Edit.Numbers(open);
    long now = clock.millis();
    List<Done> done = new ArrayList<>();
    for (Asked<?> one : together) {
      Edit edit = new Edit(open, numbers, now);
      Done how = work(one, edit);
      if (how.spoilt()) {
        open.rollback();
        if (together.size() == 1) {
          how.tell().run();
        }
        return false;
      }
      done.add(how);
    }
    open.flush();
    numbers.save();
    if (numbers.told()) {
      database.tell(open);
    }
    open.commit();
    if (numbers.told()) {
      told.run();
    }
    done.forEach(how -> how.tell().run());
    return true;
  }

  private static <T extends @Nullable Object> Done work(Asked<T> one, Edit edit) {
    try {
      T value = one.work().in(edit);
      return new Done(() -> one.answer().complete(value), false);
    } catch (SQLException | IOException | RuntimeException e) {
      boolean spoilt = edit.written() || e instanceof SQLException;
      return new Done(() -> one.answer().completeExceptionally(e), spoilt);
    }
  }

  private Session session() throws SQLException, IOException {
    Session open = session;
    if (open == null) {
      open = database.writer();
      session = open;
    }
    return open;
  }

  private ProblemException away(String what) {
    return new ProblemException(Failure.Code.UNAVAILABLE, "the fleet's database " + what);
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
