package dev.regen.agent.api;

import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request's connection and headers tell of its sender.
 *
 * @param address where it comes from; "" on a Unix socket
 * @param token what it bears ({@code Authorization: Bearer …}), null for nothing
 * @param user whose process it is, by the kernel's word; null if not on a Unix socket
 * @param certificates that it has proved to be its own, the first its own; empty without
 */
public record Peer(
    String address,
    @Nullable String token,
    @Nullable String user,
    List<X509Certificate> certificates) {
  public Peer {
    certificates = List.copyOf(certificates);
  }

  /** Not for a log: it has the token. */
  @Override
  public String toString() {
    return "a peer at " + (address.isEmpty() ? "the Unix socket" : address);
  }

  /** On the Unix socket: whoever may write there may do everything. */
  Principal local() {
    return user == null ? Principal.LOCAL : new Principal("unix:" + user, Role.ADMIN);
  }
}
