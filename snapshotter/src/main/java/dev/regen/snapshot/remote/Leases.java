package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Which chunks somebody counts on. A lease holds for at least its time, and at most twice that.
 *
 * <p>Kept in memory: after a start everything counts as leased for a while, and so it does where
 * more is leased than fits.
 */
final class Leases {
  /** About 30 MB; the most that is told apart in one or two lease times. */
  private static final int ENTRIES_MAX = 500_000;

  private static final int TOLD_APART_BY = 16;
  private static final int HEXADECIMAL = 16;

  private final long leaseNanos;
  private final LongSupplier nanoTime;
  private Set<Long> now = new HashSet<>();
  private Set<Long> before = new HashSet<>();
  private boolean allNow = true;
  private boolean allBefore = true;
  private long turnAt;

  Leases(Duration lease, LongSupplier nanoTime) {
    this.leaseNanos = lease.toNanos();
    this.nanoTime = nanoTime;
    this.turnAt = nanoTime.getAsLong();
  }

  /** Something that happens while no lease begins. */
  @FunctionalInterface
  interface Act {
    void run(Set<Digest> free) throws IOException;
  }

  synchronized void lease(Collection<Digest> digests) {
    turn();
    digests.forEach(this::add);
  }

  private void add(Digest digest) {
    if (now.size() + before.size() < ENTRIES_MAX) {
      now.add(key(digest));
    } else {
      allNow = true;
    }
  }

  /**
   * Does {@code act} with those that are not leased, and lets no lease begin meanwhile.
   *
   * @return the leased ones
   */
  synchronized Set<Digest> unlessLeased(Collection<Digest> digests, Act act) throws IOException {
    turn();
    Set<Digest> leased = new LinkedHashSet<>();
    Set<Digest> free = new LinkedHashSet<>();
    for (Digest digest : digests) {
      (isLeased(key(digest)) ? leased : free).add(digest);
    }
    act.run(free);
    return leased;
  }

  private boolean isLeased(long key) {
    return allNow || allBefore || now.contains(key) || before.contains(key);
  }

  private void turn() {
    long time = nanoTime.getAsLong();
    for (int i = 0; i < 2 && time - turnAt >= 0; i++) {
      before = now;
      allBefore = allNow;
      now = new HashSet<>();
      allNow = false;
      turnAt += leaseNanos;
    }
    if (time - turnAt >= 0) {
      turnAt = time + leaseNanos;
    }
  }

  /** Two chunks with one key only hold each other's lease. */
  private static long key(Digest digest) {
    return Long.parseUnsignedLong(digest.hex().substring(0, TOLD_APART_BY), HEXADECIMAL);
  }
}
