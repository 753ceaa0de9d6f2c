package dev.regen.agent.tcp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a server listens, and how.
 *
 * @param certificate chain of the server in PEM, null for plain HTTP
 * @param key its private key, in PEM (PKCS #8)
 * @param clients whose certificates a client must have one of, in PEM; null if it needs none
 * @param optional whether a client may have no certificate at all
 */
public record Listening(
    InetSocketAddress address,
    @Nullable Path certificate,
    @Nullable Path key,
    @Nullable Path clients,
    boolean optional) {
  public Listening {
    if (address.isUnresolved()) {
      throw new IllegalArgumentException("no address is known for " + address.getHostString());
    }
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("--tls-cert and --tls-key go together");
    }
    if (clients != null && certificate == null) {
      throw new IllegalArgumentException("--tls-clients needs --tls-cert and --tls-key");
    }
  }

  /** One that clients reach with a certificate alone, if {@code clients} says whose. */
  public Listening(
      InetSocketAddress address,
      @Nullable Path certificate,
      @Nullable Path key,
      @Nullable Path clients) {
    this(address, certificate, key, clients, false);
  }

  /** The same for clients without a certificate too. */
  public Listening withOptionalCertificates() {
    return new Listening(address, certificate, key, clients, true);
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

  /** Whether other hosts can reach it, and need no certificate for that. */
  public boolean isOpen() {
    InetAddress host = address.getAddress();
    return clients == null && !host.isLoopbackAddress();
  }
}
