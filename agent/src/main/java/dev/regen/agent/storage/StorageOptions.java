package dev.regen.agent.storage;

import dev.regen.agent.tcp.Listening;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a storage server is told.
 *
 * @param directory where it keeps everything; made if need be
 * @param quotaBytes the most that chunks and records may hold together
 * @param token what every request must bear, null for none
 */
public record StorageOptions(
    Listening listening, Path directory, long quotaBytes, @Nullable String token) {
  public StorageOptions {
    if (quotaBytes < 1) {
      throw new IllegalArgumentException("a quota is at least 1 byte");
    }
  }

  /** Whether anybody who reaches the address may read and write, from other hosts too. */
  boolean openToAll() {
    return token == null && listening.isOpen();
  }
}
