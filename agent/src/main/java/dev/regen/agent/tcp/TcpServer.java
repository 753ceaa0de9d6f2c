package dev.regen.agent.tcp;

import dev.regen.runtime.Why;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves HTTP/1.1, with TLS or without, each request on a virtual thread. Certificates that are
 * replaced on disk are used for the next connections.
 */
public final class TcpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);
  private static final int THREADS_MAX = 12;
  private static final int BUFFER_BYTES_MAX = 64 << 10;

  /** Of buffers that wait for the next request, on the heap and beside it. */
  private static final long IDLE_BYTES_MAX = 32 << 20;

  private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

  private final String name;
  private final Server server;
  private final ServerConnector connector;

  /**
   * What a client may take.
   *
   * @param headerBytes of a request
   * @param bufferBytes what is read of a body at once
   * @param idle for so long nothing may come or go on a connection
   */
  public record Limits(int headerBytes, int bufferBytes, int connections, Duration idle) {}

  /** Says of a request that is no HTTP what is wrong with it. */
  @FunctionalInterface
  public interface Malformed {
    void answer(Exchange exchange, int status);
  }

  /**
   * Answers from now on.
   *
   * @param name of this kind of server, for messages
   */
  public TcpServer(
      String name, Listening listening, Limits limits, Handler handler, Malformed malformed)
      throws IOException {
    this.name = name;
    server = new Server(threads(name), null, buffers(limits));
    connector = connector(listening, limits);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(limits.connections(), connector));
    server.setHandler(handler);
    server.setErrorHandler((request, response, callback) -> {
      malformed.answer(new Exchange(request, response, callback), response.getStatus());
      return true;
    });
    server.setStopTimeout(STOP_LIMIT.toMillis());
    start(listening);
  }

  /** What {@link #untilStopped} runs. */
  @FunctionalInterface
  public interface Service {
    /** Begins to serve; what it returns is closed at the end. */
    AutoCloseable start() throws IOException;
  }

  /** Serves until SIGTERM or SIGINT, and has ended when the process does. */
  public static void untilStopped(Service service) throws IOException, InterruptedException {
    CountDownLatch stopped = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Thread atEnd =
        new Thread(() -> {
          stopped.countDown();
          awaitQuietly(closed);
        });
    AutoCloseable running = service.start();
    try {
      Runtime.getRuntime().addShutdownHook(atEnd);
      stopped.await();
    } finally {
      try {
        close(running);
      } finally {
        // Whatever came of that: who ends the process waits for it.
        closed.countDown();
      }
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

  /** Ends what is being answered; who does not take his answer in time loses it. */
  @Override
  public void close() throws IOException {
    try {
      server.stop();
    } catch (TimeoutException e) {
      LOG.info("the {} has cut connections that did not end", name);
    } catch (Exception e) {
      throw new IOException("the " + name + " could not be stopped", e);
    }
  }

  private static QueuedThreadPool threads(String name) {
    QueuedThreadPool threads = new QueuedThreadPool(THREADS_MAX, 2);
    threads.setName(name);
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    return threads;
  }

  /** Jetty's own pool makes each buffer above 64 KiB anew, and leaves it to the collector. */
  private static ByteBufferPool buffers(Limits limits) {
    int largest = Math.max(BUFFER_BYTES_MAX, limits.bufferBytes());
    return new ArrayByteBufferPool(-1, -1, largest, -1, IDLE_BYTES_MAX, IDLE_BYTES_MAX);
  }

  private ServerConnector connector(Listening listening, Limits limits) throws IOException {
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(limits.headerBytes());
    http.setSendServerVersion(false);
    http.setUriCompliance(UriCompliance.DEFAULT);
    HttpConnections factory = new HttpConnections(http);
    factory.setInputBufferSize(limits.bufferBytes());
    ServerConnector made;
    if (listening.certificate() == null) {
      made = new ServerConnector(server, 1, 1, factory);
    } else {
      // Jetty's own would refuse who knows this host by a name that the certificate does not have:
      // that is the client's to judge.
      http.addCustomizer(new SecureRequestCustomizer(false));
      ReloadedTls tls = new ReloadedTls(listening);
      server.addBean(tls);
      made = new ServerConnector(server, tls.factory(), factory);
    }
    made.setHost(listening.address().getHostString());
    made.setPort(listening.address().getPort());
    made.setIdleTimeout(limits.idle().toMillis());
    return made;
  }

  private void start(Listening listening) throws IOException {
    try {
      server.start();
    } catch (Exception e) {
      throw new IOException(
          "the "
              + name
              + " could not be started on "
              + listening.address().getHostString()
              + ":"
              + listening.address().getPort()
              + ": "
              + Why.of(e.getCause() == null ? e : e.getCause()),
          e);
    }
  }

  private static void close(AutoCloseable running) throws IOException {
    try {
      running.close();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
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
