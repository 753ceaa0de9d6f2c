package dev.regen.snapshot.queue;

import dev.regen.snapshot.End;
import dev.regen.snapshot.SnapshotId;
import java.time.Duration;
import java.time.Instant;

/** Elements by number: number <i>n</i> ended <i>n</i> minutes after 2026-11-22T09:00 UTC. */
final class Elements {
  private static final Instant START = Instant.parse("2026-11-22T09:00:00Z");

  private Elements() {}

  static SnapshotId id(int number) {
    return new SnapshotId("%032x".formatted(0xabc0000 + number));
  }

  static Instant time(int number) {
    return START.plus(Duration.ofMinutes(number));
  }

  static Element good(int number) {
    return new Element(id(number), time(number), end(End.Reason.EXITED, 0, End.Good.YES));
  }

  static Element failed(int number) {
    return new Element(id(number), time(number), end(End.Reason.EXITED, 1, End.Good.NO));
  }

  private static End end(End.Reason reason, int exitCode, End.Good good) {
    return new End(reason, exitCode, good, Duration.ofSeconds(3));
  }
}
