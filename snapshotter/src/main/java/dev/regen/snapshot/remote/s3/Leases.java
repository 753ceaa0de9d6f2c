package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.RegenException;
import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says to others that somebody counts on what is in the store: two objects whose times, which are
 * the server's, tell since when and whether still. Where they cannot be written (who may only read)
 * that is a trouble, and all goes on.
 */
final class Leases {
  private static final String LEASES = "leases/";
  private static final String BEGUN = "/begun";
  private static final String ALIVE = "/alive";
  private static final String CLOCK = "clock";
  private static final int OBJECTS_MAX = 100_000;

  /** The times in a list have whole seconds. */
  private static final Duration COARSE = Duration.ofSeconds(1);

  private final Bucket bucket;
  private final Duration lease;
  private String own = LEASES + random();

  /** Those that somebody still counts on, from before {@link #own}. */
  private final Set<String> earlier = new HashSet<>();

  private boolean begun;
  private long renewAtNanos;
  private @Nullable String trouble;

  Leases(Bucket bucket, Duration lease) {
    this.bucket = bucket;
    this.lease = lease;
  }

  /** Sixteen random bytes. */
  static String random() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** From now on, for the lease's time at least, others see that this store is in use. */
  synchronized void hold() throws IOException {
    if (trouble != null || (begun && System.nanoTime() - renewAtNanos < 0)) {
      return;
    }
    try {
      bucket.put(own + ALIVE, new byte[0], Bucket.Condition.NONE);
      for (String before : earlier) {
        bucket.put(before + ALIVE, new byte[0], Bucket.Condition.NONE);
      }
      if (!begun) {
        bucket.put(own + BEGUN, new byte[0], Bucket.Condition.NONE);
        begun = true;
      }
      renewAtNanos = System.nanoTime() + lease.toNanos() / 3;
    } catch (RegenException.Refused e) {
      trouble = "what is in the store is not kept for this transfer: " + e.getMessage();
    }
  }

  /** Goes on with it, if it was begun. */
  synchronized void renew() throws IOException {
    if (begun) {
      hold();
    }
  }

  /**
   * Begins a new lease, if one was begun; the ones before go on until what this returns is closed.
   */
  synchronized Closeable turn() throws IOException {
    if (!begun) {
      return () -> {};
    }
    earlier.add(own);
    Set<String> over = Set.copyOf(earlier);
    own = LEASES + random();
    begun = false;
    hold();
    return () -> end(over);
  }

  private synchronized void end(Set<String> over) throws IOException {
    for (String lease : over) {
      if (earlier.contains(lease)) {
        delete(lease);
        earlier.remove(lease);
      }
    }
  }

  private void delete(String lease) throws IOException {
    bucket.delete(lease + BEGUN);
    bucket.delete(lease + ALIVE);
  }

  synchronized List<String> troubles() {
    return trouble == null ? List.of() : List.of(trouble);
  }

  /** The server's time. */
  Instant now() throws IOException {
    bucket.put(CLOCK, new byte[0], Bucket.Condition.NONE);
    for (Bucket.Listed listed : bucket.list(CLOCK, OBJECTS_MAX)) {
      if (listed.key().equals(CLOCK)) {
        return listed.modified();
      }
    }
    throw new IOException(bucket.words() + " does not list what was just put there");
  }

  /** Since when the one that has used the store longest does so, as of {@code now}; or null. */
  @Nullable Instant oldest(Instant now) throws IOException {
    Map<String, Instant> since = new HashMap<>();
    List<String> alive = new ArrayList<>();
    for (Bucket.Listed listed : bucket.list(LEASES, OBJECTS_MAX)) {
      String key = listed.key();
      if (key.endsWith(BEGUN)) {
        since.put(key.substring(0, key.length() - BEGUN.length()), listed.modified());
      } else if (key.endsWith(ALIVE) && listed.modified().plus(lease).plus(COARSE).isAfter(now)) {
        alive.add(key.substring(0, key.length() - ALIVE.length()));
      }
    }
    return alive.stream()
        .map(since::get)
        .filter(Objects::nonNull)
        .min(Instant::compareTo)
        .map(instant -> instant.minus(COARSE))
        .orElse(null);
  }

  /** Nobody counts on anything here any more; if the server does not hear that, it runs out. */
  synchronized void end() {
    if (begun) {
      begun = false;
      try {
        delete(own);
        for (String lease : earlier) {
          delete(lease);
        }
      } catch (IOException e) {
        trouble = "a lease in the store is left to run out: " + e.getMessage();
      }
    }
  }
}
