package dev.regen.agent.registry;

import dev.regen.agent.api.ApiHandler;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.observe.Exposition;
import dev.regen.agent.observe.ProcessGauges;
import dev.regen.agent.tcp.TcpServer;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the registry of a store, a fleet, or both. What it has answered 201 or 202 survives a
 * power cut; the process may be killed at any time, and others may serve the same store.
 */
public final class ManagerServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ManagerServer.class);
  private static final int HEADER_BYTES_MAX = 32 << 10;
  private static final int BUFFER_BYTES = 128 << 10;
  private static final int CONNECTIONS_MAX = 1_024;

  /** Of a fleet each node has one that stays open, and others now and then. */
  private static final int CONNECTIONS_OF_FLEET_MAX = 25_000;

  private static final Duration IDLE_LIMIT = Duration.ofSeconds(60);

  private final @Nullable ServedStore store;
  private final @Nullable Fleet fleet;
  private final TcpServer server;

  /**
   * Opens the store and answers from then on.
   *
   * @throws RegenException.BadInput if a file that was named is not what it should be
   */
  public ManagerServer(ManagerOptions options) throws IOException {
    this(options, InstantSource.system(), IDLE_LIMIT);
  }

  /**
   * As above.
   *
   * @param idle for so long nothing may come or go on a connection
   */
  ManagerServer(ManagerOptions options, InstantSource clock, Duration idle) throws IOException {
    StoreUrl url = options.store();
    FleetUrl database = options.fleet();
    ServedStore opened = url == null ? null : new ServedStore(url, options, clock);
    Fleet joined = null;
    try {
      joined = database == null ? null : Fleet.open(database, clock);
      server = server(options, opened, joined, idle);
    } catch (IOException | RuntimeException e) {
      close(opened, joined);
      throw e;
    }
    store = opened;
    fleet = joined;
    if (opened != null) {
      opened.keepUp();
    }
    if (joined != null
        && options.listening().certificate() == null
        && options.listening().isOpen()) {
      LOG.warn(
          "tokens go to {} in the plain: anybody on the way can read them; use --tls-cert",
          options.listening().address());
    }
    if (options.openToAll()) {
      LOG.warn(
          "whoever reaches {} may read and write everything: use --htpasswd",
          options.listening().address());
    }
  }

  private static TcpServer server(
      ManagerOptions options, @Nullable ServedStore store, @Nullable Fleet fleet, Duration idle)
      throws IOException {
    int connections = fleet == null ? CONNECTIONS_MAX : CONNECTIONS_OF_FLEET_MAX;
    Exposition exposition = new Exposition();
    ProcessGauges.addTo(exposition);
    if (store != null) {
      store.measureBy(exposition);
    }
    if (fleet != null) {
      fleet.measureBy(exposition);
    }
    int bufferBytes = store == null ? HEADER_BYTES_MAX : BUFFER_BYTES;
    return new TcpServer(
        "manager",
        options.listening(),
        new TcpServer.Limits(HEADER_BYTES_MAX, bufferBytes, connections, idle),
        new ManagerHandler(
            store == null ? null : store.handler(),
            fleet,
            store == null ? null : store.access(),
            options.htpasswd() == null && options.listening().clients() != null,
            exposition),
        (exchange, status) -> {
          if (fleet != null && (store == null || ManagerHandler.isOfFleet(exchange))) {
            ApiHandler.malformed(exchange, status);
          } else {
            new RegistryProblem(
                    status, RegistryException.Code.UNSUPPORTED, "the request is malformed", null)
                .answer(exchange);
          }
        });
  }

  /** Serves until SIGTERM or SIGINT. */
  public static void run(ManagerOptions options, Consumer<String> say)
      throws IOException, InterruptedException {
    TcpServer.untilStopped(() -> {
      ManagerServer server = new ManagerServer(options);
      say.accept("the manager listens on " + server.uri());
      return server;
    });
  }

  /**
   * Collects what nobody needs, without serving; others may serve the store meanwhile.
   *
   * @param say hears what is done
   */
  public static void collect(StoreUrl url, @Nullable Path rulesFile, Consumer<String> say)
      throws IOException {
    InstantSource clock = InstantSource.system();
    Rules rules = new Rules(rulesFile);
    try (RemoteStore store = url.open(false)) {
      Registry registry = ServedStore.registry(store, clock);
      TransferProgress progress =
          new TransferProgress() {
            @Override
            public void step(String words) {
              say.accept(words);
            }
          };
      say.accept(Upkeep.collect(store, registry, rules, clock, progress).words());
    }
  }

  /** Where it listens. */
  public URI uri() {
    return server.uri();
  }

  @Override
  public void close() throws IOException {
    if (fleet != null) {
      fleet.sendAway();
    }
    try {
      server.close();
    } finally {
      close(store, fleet);
    }
  }

  private static void close(@Nullable ServedStore store, @Nullable Fleet fleet) throws IOException {
    try {
      if (store != null) {
        store.close();
      }
    } finally {
      if (fleet != null) {
        fleet.close();
      }
    }
  }
}
