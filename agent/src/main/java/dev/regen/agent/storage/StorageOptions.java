package dev.regen.agent.storage;

import dev.regen.agent.tcp.Listening;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a storage server is told.
 *
 * @param directory where it keeps everything; made if need be
 * @param quotaBytes the most that chunks and records may hold together
 * @param token what every request must bear, null for none
 * @param certificate chain of the server in PEM, null for plain HTTP
 * @param key its private key, in PEM (PKCS #8)
 * @param clients whose certificates a client must have one of, in PEM; null if it needs none
 */
public record StorageOptions(
    InetSocketAddress listen,
    Path directory,
    long quotaBytes,
    @Nullable String token,
    @Nullable Path certificate,
    @Nullable Path key,
    @Nullable Path clients) {
  public StorageOptions {
    if (quotaBytes < 1) {
      throw new IllegalArgumentException("a quota is at least 1 byte");
    }
    new Listening(listen, certificate, key, clients);
  }

  Listening listening() {
    return new Listening(listen, certificate, key, clients);
  }

  /** Whether anybody who reaches the address may read and write, from other hosts too. */
  boolean openToAll() {
    return token == null && listening().isOpen();
  }
}
