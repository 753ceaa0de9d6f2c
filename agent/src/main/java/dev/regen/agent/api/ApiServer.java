package dev.regen.agent.api;

import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.HttpConnections;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * The API on a Unix socket, mode 0660: whoever may write there may do everything, as root may. Each
 * request runs on a virtual thread.
 */
public final class ApiServer implements AutoCloseable {
  private static final int HEADER_BYTES_MAX = 16 << 10;
  private static final int THREADS_MAX = 12;
  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  private final Path socket;
  private final @Nullable String group;
  private final Server server;

  /**
   * The API, not begun.
   *
   * @param group whose members may use the socket too, which makes them as powerful as root; null
   *     for the group of the process
   */
  public ApiServer(Path socket, Routes routes, @Nullable String group) {
    this(socket, routes, group, ApiLimits.LOCAL);
  }

  ApiServer(Path socket, Routes routes, @Nullable String group, ApiLimits limits) {
    this.socket = socket;
    this.group = group;
    QueuedThreadPool threads = new QueuedThreadPool(THREADS_MAX, 2);
    threads.setName("http");
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(HEADER_BYTES_MAX);
    http.setSendServerVersion(false);
    http.setUriCompliance(UriCompliance.DEFAULT);
    UnixDomainServerConnector connector =
        new UnixDomainServerConnector(server, 1, 1, new HttpConnections(http));
    connector.setUnixDomainPath(socket);
    connector.setIdleTimeout(limits.idle().toMillis());
    server.addConnector(connector);
    server.setHandler(new ApiHandler(routes, request -> Peers.of(request).local(), limits));
    server.addBean(new NetworkConnectionLimit(limits.connections(), connector));
    server.setErrorHandler((request, response, callback) -> {
      ApiHandler.malformed(new Exchange(request, response, callback), response.getStatus());
      return true;
    });
    server.setStopTimeout(STOP_LIMIT.toMillis());
  }

  /**
   * Binds the socket and answers from then on; a socket file that is there is taken away first, so
   * the caller must know that no other agent runs.
   */
  public void start() throws IOException {
    Files.deleteIfExists(socket);
    try {
      server.start();
    } catch (Exception e) {
      throw new IOException("the API could not be started on " + socket + ": " + Why.of(e), e);
    }
    // The group first: with the mode alone, the process's own could connect for a moment.
    setGroup();
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
  }

  private void setGroup() throws IOException {
    if (group == null) {
      return;
    }
    try {
      GroupPrincipal found =
          socket.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(group);
      Files.getFileAttributeView(socket, PosixFileAttributeView.class).setGroup(found);
    } catch (UserPrincipalNotFoundException e) {
      throw new IOException(
          "there is no group '" + group + "' on this host (socketGroup in the configuration)", e);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IOException("the API could not be stopped", e);
    } finally {
      Files.deleteIfExists(socket);
    }
  }
}
