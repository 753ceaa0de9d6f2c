package dev.regen.agent.storage;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
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
    if (listen.isUnresolved()) {
      throw new IllegalArgumentException("no address is known for " + listen.getHostString());
    }
    if (quotaBytes < 1) {
      throw new IllegalArgumentException("a quota is at least 1 byte");
    }
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("--tls-cert and --tls-key go together");
    }
    if (clients != null && certificate == null) {
      throw new IllegalArgumentException("--tls-clients needs --tls-cert and --tls-key");
    }
  }

  /** Reads {@code HOST:PORT} or {@code [IPV6]:PORT}; port 0 takes a free one. */
  public static InetSocketAddress address(String text) {
    URI uri;
    try {
      uri = URI.create("http://" + text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not HOST:PORT: " + text, e);
    }
    if (uri.getHost() == null || uri.getPort() < 0 || !text.endsWith(":" + uri.getPort())) {
      throw new IllegalArgumentException("not HOST:PORT: " + text);
    }
    return new InetSocketAddress(uri.getHost().replaceAll("[\\[\\]]", ""), uri.getPort());
  }

  /** Whether anybody who reaches the address may read and write, from other hosts too. */
  boolean openToAll() {
    InetAddress address = listen.getAddress();
    return token == null && clients == null && !address.isLoopbackAddress();
  }
}
