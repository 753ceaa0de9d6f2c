package dev.regen.snapshot.remote;

import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.RegenException;
import java.nio.file.Path;

/** How much a store holds, and may hold. */
final class Room {
  private final Path directory;
  private final long quotaBytes;
  private long bytes;

  Room(Path directory, long quotaBytes) {
    this.directory = directory;
    this.quotaBytes = quotaBytes;
  }

  /** Counts what is there, quota or not. */
  synchronized void found(long more) {
    bytes += more;
  }

  /**
   * Takes room for {@code more} bytes.
   *
   * @throws RegenException.Refused if the quota would be passed; nothing is taken then
   */
  synchronized void take(long more) throws RegenException {
    if (more > quotaBytes - bytes) {
      throw full(
          new DiskFullException(
              directory, new IllegalStateException(bytes + " of " + quotaBytes + " bytes used")));
    }
    bytes += more;
  }

  synchronized void give(long less) {
    bytes -= less;
  }

  synchronized long bytes() {
    return bytes;
  }

  long quotaBytes() {
    return quotaBytes;
  }

  /** Names the reason, which {@link DiskFullException#behind} finds. */
  RegenException.Refused full(DiskFullException cause) {
    RegenException.Refused full =
        new RegenException.Refused(
            "the store "
                + directory
                + " is full (it holds "
                + bytes()
                + " bytes): give it more room, or use another");
    full.initCause(cause);
    return full;
  }
}
