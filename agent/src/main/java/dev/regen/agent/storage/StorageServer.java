package dev.regen.agent.storage;

import dev.regen.agent.tcp.TcpServer;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the chunks and records of one directory over HTTP/1.1. What it has answered 200 or 201
 * survives a power cut; the process may be killed at any time.
 */
public final class StorageServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StorageServer.class);
  private static final TcpServer.Limits LIMITS =
      new TcpServer.Limits(8 << 10, 64 << 10, 512, Duration.ofSeconds(60));

  private final DirectoryRemote store;
  private final TcpServer server;

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
    try {
      server =
          new TcpServer(
              "storage server",
              options.listening(),
              LIMITS,
              new StorageHandler(store, options),
              (exchange, status) ->
                  new Problem(status, "the request is malformed").answer(exchange));
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    if (options.openToAll()) {
      LOG.warn(
          "whoever reaches {} may read and write everything: use --token-file or --tls-clients",
          options.listening().address());
    }
  }

  /** Serves until SIGTERM or SIGINT. */
  public static void run(StorageOptions options, Consumer<String> say)
      throws IOException, InterruptedException {
    TcpServer.untilStopped(() -> {
      StorageServer server = new StorageServer(options);
      say.accept("storage server " + server.store.id() + " listens on " + server.uri());
      return server;
    });
  }

  /** Where it listens. */
  public URI uri() {
    return server.uri();
  }

  @Override
  public void close() throws IOException {
    try {
      server.close();
    } finally {
      store.close();
    }
  }
}
