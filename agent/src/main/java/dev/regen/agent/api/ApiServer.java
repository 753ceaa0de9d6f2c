package dev.regen.agent.api;

import dev.regen.runtime.Why;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The API on a Unix socket, mode 0660: whoever may write there may do everything. Each request runs
 * on a virtual thread.
 */
public final class ApiServer implements AutoCloseable {
  private static final int HEADER_BYTES_MAX = 16 << 10;
  private static final int THREADS_MAX = 12;
  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  private final Path socket;
  private final Server server;

  public ApiServer(Path socket, Routes routes) {
    this(socket, routes, ApiLimits.LOCAL);
  }

  ApiServer(Path socket, Routes routes, ApiLimits limits) {
    this.socket = socket;
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
        new UnixDomainServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    connector.setUnixDomainPath(socket);
    connector.setIdleTimeout(limits.idle().toMillis());
    server.addConnector(connector);
    server.setHandler(new ApiHandler(routes, _ -> Principal.LOCAL, limits));
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
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
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
