package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.Parallel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Finds out, with objects of its own, whether of several writers at once one wins. */
final class RaceProbe {
  private static final String PROBES = "probe/";
  private static final int ROUNDS = 5;
  private static final int WRITERS = 8;
  private static final int CONTENT_BYTES = 32;
  private static final int BEGIN_SECONDS = 5;

  private RaceProbe() {}

  /**
   * How a server wants the name of the version that is to be replaced: in quotes, or bare. Empty if
   * conditions mean nothing to it.
   */
  static Optional<Boolean> quoted(Bucket bucket) throws IOException {
    String key = PROBES + Leases.random();
    try {
      String first = bucket.put(key, new byte[] {0}, Bucket.Condition.ABSENT);
      String second = bucket.put(key, new byte[] {1}, Bucket.Condition.NONE);
      for (boolean quoted : List.of(true, false)) {
        if (won(bucket, key, new byte[] {2}, ifMatch(first, quoted))
            || won(bucket, key, new byte[] {2}, Bucket.Condition.ABSENT)) {
          return Optional.empty();
        }
        if (won(bucket, key, new byte[] {3}, ifMatch(second, quoted))) {
          return Optional.of(quoted);
        }
      }
      return Optional.empty();
    } finally {
      bucket.delete(key);
    }
  }

  /** Lets several write at once, a few times: new objects, and in the place of one. */
  static boolean oneWins(Bucket bucket, boolean quoted) throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      String key = PROBES + Leases.random();
      try {
        if (!oneWins(bucket, key, Bucket.Condition.ABSENT)) {
          return false;
        }
        Bucket.Stored now =
            bucket
                .get(key, CONTENT_BYTES)
                .orElseThrow(() -> new IOException(bucket.words() + " loses what was put there"));
        if (!oneWins(bucket, key, ifMatch(now.etag(), quoted))) {
          return false;
        }
      } finally {
        bucket.delete(key);
      }
    }
    return true;
  }

  static Bucket.Condition ifMatch(String etag, boolean quoted) {
    return new Bucket.Condition(quoted ? '"' + etag + '"' : etag, null);
  }

  private static boolean oneWins(Bucket bucket, String key, Bucket.Condition condition)
      throws IOException {
    // No content twice: a version is named by its content.
    List<String> contents = Stream.generate(Leases::random).limit(WRITERS).toList();
    Set<String> winners = ConcurrentHashMap.newKeySet();
    CyclicBarrier together = new CyclicBarrier(WRITERS);
    Parallel.run(
        contents,
        WRITERS,
        content -> {
          await(together);
          if (won(bucket, key, content.getBytes(StandardCharsets.US_ASCII), condition)) {
            winners.add(content);
          }
        });
    Optional<Bucket.Stored> now = bucket.get(key, CONTENT_BYTES);
    return winners.size() == 1
        && now.isPresent()
        && winners.contains(new String(now.get().bytes(), StandardCharsets.US_ASCII));
  }

  /** Who begins late does not race; one that did not come at all is not waited for. */
  private static void await(CyclicBarrier together) throws IOException {
    try {
      together.await(BEGIN_SECONDS, TimeUnit.SECONDS);
    } catch (BrokenBarrierException | TimeoutException e) {
      // The others have begun, or are about to.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** A server may also fail with the losers: it could not decide for them. */
  private static boolean won(Bucket bucket, String key, byte[] content, Bucket.Condition condition)
      throws IOException {
    try {
      bucket.put(key, content, condition);
      return true;
    } catch (Failures.Lost | Failures.ServerFailed e) {
      return false;
    }
  }
}
