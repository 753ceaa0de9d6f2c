package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Goes on with moves: when a job has ended, and once a second whatever happens. */
final class Mover implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Mover.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

  private final Writer writer;
  private final Semaphore woken = new Semaphore(0);
  private final Thread thread;
  private volatile boolean someUnderWay = true;
  private volatile boolean closed;

  Mover(Writer writer) {
    this.writer = writer;
    this.thread = Thread.ofPlatform().daemon().name("fleet-moves").start(this::run);
  }

  /** A job has changed; costs nothing while nothing is moved. */
  void jobChanged() {
    if (someUnderWay) {
      wake();
    }
  }

  /** A move has begun. */
  void wake() {
    someUnderWay = true;
    if (woken.availablePermits() == 0) {
      woken.release();
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }

  private void run() {
    while (!closed) {
      try {
        someUnderWay = writer.write(MoveSteps::advance);
        boolean _ = woken.tryAcquire(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
        woken.drainPermits();
      } catch (IOException | RuntimeException e) {
        LOG.warn("moves do not go on just now: {}", Why.of(e));
        LOG.debug("why", e);
        pause();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(LOOK_EVERY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
