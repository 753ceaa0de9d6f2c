package dev.regen.agent.storage;

import dev.regen.runtime.Why;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the chunks and records of one directory over HTTP/1.1. What it has answered 200 or 201
 * survives a power cut; the process may be killed at any time.
 */
public final class StorageServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StorageServer.class);
  private static final int HEADER_BYTES_MAX = 8 << 10;
  private static final int THREADS_MAX = 12;
  private static final int CONNECTIONS_MAX = 512;
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  private final DirectoryRemote store;
  private final Server server;
  private final ServerConnector connector;

  /**
   * Opens the directory and answers from then on.
   *
   * @throws RegenException.Refused if another process has the directory open
   */
  public StorageServer(StorageOptions options) throws IOException {
    this(options, DirectoryRemote.LEASE);
  }

  /**
   * As above.
   *
   * @param lease how long at least a chunk that somebody asked about is not deleted
   */
  public StorageServer(StorageOptions options, Duration lease) throws IOException {
    store = new DirectoryRemote(options.directory().toAbsolutePath(), options.quotaBytes(), lease);
    server = new Server(threads());
    try {
      connector = connector(options);
      server.addConnector(connector);
      server.addBean(new NetworkConnectionLimit(CONNECTIONS_MAX, connector));
      server.setHandler(new StorageHandler(store, options));
      server.setErrorHandler((request, response, callback) -> {
        Problem problem = new Problem(response.getStatus(), "the request is malformed");
        new Exchange(request, response, callback).answer(problem);
        return true;
      });
      server.setStopTimeout(STOP_LIMIT.toMillis());
      start(options);
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    if (options.openToAll()) {
      LOG.warn(
          "whoever reaches {} may read and write everything: use --token-file or --tls-clients",
          options.listen());
    }
  }

  /** Serves until SIGTERM or SIGINT. */
  public static void run(StorageOptions options, Consumer<String> say)
      throws IOException, InterruptedException {
    CountDownLatch stopped = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Thread atEnd =
        new Thread(() -> {
          stopped.countDown();
          awaitQuietly(closed);
        });
    try (StorageServer server = new StorageServer(options)) {
      Runtime.getRuntime().addShutdownHook(atEnd);
      say.accept("storage server " + server.store.id() + " listens on " + server.uri());
      stopped.await();
    } finally {
      closed.countDown();
    }
  }

  /** Where it listens. */
  public URI uri() {
    String host = connector.getHost();
    String scheme = connector.getDefaultProtocol().startsWith("SSL") ? "https" : "http";
    return URI.create(
        scheme
            + "://"
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + connector.getLocalPort());
  }

  @Override
  public void close() throws IOException {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IOException("the storage server could not be stopped", e);
    } finally {
      store.close();
    }
  }

  private static QueuedThreadPool threads() {
    QueuedThreadPool threads = new QueuedThreadPool(THREADS_MAX, 2);
    threads.setName("storage");
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    return threads;
  }

  private ServerConnector connector(StorageOptions options) throws IOException {
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(HEADER_BYTES_MAX);
    http.setSendServerVersion(false);
    http.setUriCompliance(UriCompliance.DEFAULT);
    HttpConnectionFactory factory = new HttpConnectionFactory(http);
    Path certificate = options.certificate();
    Path key = options.key();
    ServerConnector made;
    if (certificate == null || key == null) {
      made = new ServerConnector(server, 1, 1, factory);
    } else {
      SslContextFactory.Server tls = new SslContextFactory.Server();
      tls.setSslContext(TlsFiles.context(certificate, key, options.clients()));
      tls.setNeedClientAuth(options.clients() != null);
      made = new ServerConnector(server, tls, factory);
    }
    made.setHost(options.listen().getHostString());
    made.setPort(options.listen().getPort());
    made.setIdleTimeout(IDLE.toMillis());
    return made;
  }

  private void start(StorageOptions options) throws IOException {
    try {
      server.start();
    } catch (Exception e) {
      throw new IOException(
          "the storage server could not be started on "
              + options.listen().getHostString()
              + ":"
              + options.listen().getPort()
              + ": "
              + Why.of(e.getCause() == null ? e : e.getCause()),
          e);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
