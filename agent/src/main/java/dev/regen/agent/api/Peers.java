package dev.regen.agent.api;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** Reads off a request who sent it. */
final class Peers {
  private static final String SCHEME = "bearer ";
  private static final String USER = "dev.regen.peer.user";

  private Peers() {}

  static Peer of(Request request) {
    ConnectionMetaData connection = request.getConnectionMetaData();
    EndPoint end = connection.getConnection().getEndPoint();
    return new Peer(address(request), token(request), user(connection, end), certificates(end));
  }

  /** "" on a Unix socket. */
  static String address(Request request) {
    return request.getConnectionMetaData().getRemoteSocketAddress()
                instanceof InetSocketAddress remote
            && remote.getAddress() != null
        ? remote.getAddress().getHostAddress()
        : "";
  }

  private static @Nullable String token(Request request) {
    String given = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    return given != null && given.toLowerCase(Locale.ROOT).startsWith(SCHEME)
        ? given.substring(SCHEME.length()).strip()
        : null;
  }

  /** Asked once for a connection: a name may come from a directory in the network. */
  private static @Nullable String user(ConnectionMetaData connection, EndPoint end) {
    if (connection.getAttribute(USER) instanceof String known) {
      return known.isEmpty() ? null : known;
    }
    String user = null;
    if (end.getTransport() instanceof SocketChannel channel
        && channel.supportedOptions().contains(ExtendedSocketOptions.SO_PEERCRED)) {
      try {
        user = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
      } catch (IOException | UnsupportedOperationException e) {
        user = null; // Not a Unix socket, or closed by now.
      }
    }
    connection.setAttribute(USER, user == null ? "" : user);
    return user;
  }

  private static List<X509Certificate> certificates(EndPoint end) {
    EndPoint.SslSessionData tls = end.getSslSessionData();
    X509Certificate[] chain = tls == null ? null : tls.peerCertificates();
    return chain == null ? List.of() : List.of(chain);
  }
}
