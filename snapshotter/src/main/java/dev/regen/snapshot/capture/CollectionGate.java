package dev.regen.snapshot.capture;

import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps collection away from whoever counts on chunks that no manifest names yet.
 *
 * <p>Any number of users may be inside at once, or one collector. Between processes the home's
 * {@code collect.lock} does the same, but lets one process in at a time.
 */
final class CollectionGate {
  private static final Duration WAIT = Duration.ofSeconds(10);
  private static final Duration COLLECTION_MAX = Duration.ofMinutes(10);
  private static final Duration RETRY = Duration.ofMillis(10);

  private final Disk disk;
  private final Path file;
  private int users;
  private boolean collecting;
  private Disk.@Nullable Lock lock;

  CollectionGate(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  /**
   * Lets a user in; waits for a collection to end.
   *
   * @throws RegenException.Refused if that takes too long, or another process is inside
   */
  synchronized Hold enter() throws IOException {
    long deadline = System.nanoTime() + COLLECTION_MAX.toNanos();
    try {
      while (collecting) {
        wait(millisUntil(deadline));
      }
    } catch (InterruptedException e) {
      throw interrupted();
    }
    if (users == 0) {
      lock = lockWithin(WAIT).orElseThrow(this::inUse);
    }
    users++;
    return new Hold(this::left);
  }

  /** Lets a user in, unless chunks are being collected or another process is inside. */
  synchronized Optional<Hold> tryEnter() throws IOException {
    if (collecting) {
      return Optional.empty();
    }
    if (users == 0) {
      Optional<Disk.Lock> taken = lockWithin(Duration.ZERO);
      if (taken.isEmpty()) {
        return Optional.empty();
      }
      lock = taken.get();
    }
    users++;
    return Optional.of(new Hold(this::left));
  }

  /** Lets a collector in, unless anyone is inside. */
  synchronized Optional<Hold> tryCollect() throws IOException {
    if (users > 0 || collecting) {
      return Optional.empty();
    }
    Optional<Disk.Lock> taken = lockWithin(Duration.ZERO);
    if (taken.isEmpty()) {
      return Optional.empty();
    }
    lock = taken.get();
    collecting = true;
    return Optional.of(new Hold(this::collected));
  }

  private synchronized void left() {
    users--;
    if (users == 0) {
      unlock();
    }
  }

  private synchronized void collected() {
    collecting = false;
    unlock();
    notifyAll();
  }

  private void unlock() {
    if (lock != null) {
      lock.close();
      lock = null;
    }
  }

  private static long millisUntil(long deadlineNanos) throws RegenException {
    long millis = (deadlineNanos - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new RegenException.Refused("the chunk store is being swept; try again later");
    }
    return millis;
  }

  private Optional<Disk.Lock> lockWithin(Duration limit) throws IOException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      Optional<Disk.Lock> taken = disk.tryLock(file);
      if (taken.isPresent() || System.nanoTime() - deadline >= 0) {
        return taken;
      }
      try {
        Thread.sleep(RETRY);
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }
  }

  private RegenException.Refused inUse() {
    return new RegenException.Refused(
        "another process uses this home (" + file + " is locked); is a second agent running?");
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while waiting for the chunk store");
  }
}
