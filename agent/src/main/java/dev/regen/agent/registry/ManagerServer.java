package dev.regen.agent.registry;

import dev.regen.agent.tcp.TcpServer;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.publish.Publishing;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.SegmentBuffers;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the registry of a store. What it has answered 201 or 202 survives a power cut; the process
 * may be killed at any time, and others may serve the same store.
 */
public final class ManagerServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ManagerServer.class);
  private static final int KEY_BYTES_MIN = 32;
  private static final int KEY_BYTES_MAX = 4_096;

  /** 64 MiB at most of what is pushed. */
  private static final int PUSHED_SEGMENTS_MAX = 64;

  /** 96 MiB at most of what is pulled: a slow client holds one until he has it. */
  private static final int PULLED_SEGMENTS_MAX = 96;

  private static final int HEADER_BYTES_MAX = 32 << 10;
  private static final int BUFFER_BYTES = 128 << 10;
  private static final int CONNECTIONS_MAX = 1_024;
  private static final Duration IDLE_LIMIT = Duration.ofSeconds(60);

  private static final Duration STORED_LIMIT = Duration.ofSeconds(10);

  private final RemoteStore store;
  private final TcpServer server;
  private final Upkeep upkeep;
  private final Registry registry;

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
    Users users = options.htpasswd() == null ? null : new Users(options.htpasswd());
    Rules rules = new Rules(options.rules());
    if (users == null && rules.haveRights()) {
      throw new RegenException.BadInput(
          options.rules()
              + " says who may do what, and nobody can log in: name the users with --htpasswd, or"
              + " take 'rights' out");
    }
    Tokens tokens = new Tokens(key(options.tokenKey()), clock);
    Access access = new Access(users, rules, tokens, options.url());
    store = options.store().open(true);
    registry = registry(store, clock);
    try {
      server =
          new TcpServer(
              "manager",
              options.listening(),
              new TcpServer.Limits(HEADER_BYTES_MAX, BUFFER_BYTES, CONNECTIONS_MAX, idle),
              new RegistryHandler(registry, new Publishing(store, registry), access, rules),
              (exchange, status) ->
                  new RegistryProblem(
                          status,
                          RegistryException.Code.UNSUPPORTED,
                          "the request is malformed",
                          null)
                      .answer(exchange));
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    upkeep = new Upkeep(store, registry, rules, clock, options.collectEvery());
    if (options.openToAll()) {
      LOG.warn(
          "whoever reaches {} may read and write everything: use --htpasswd",
          options.listening().address());
    }
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
      Registry registry = registry(store, clock);
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
    upkeep.close();
    try {
      server.close();
    } finally {
      // What has arrived of uploads under way is kept.
      registry.awaitStored(STORED_LIMIT);
      store.close();
    }
  }

  private static Registry registry(RemoteStore store, InstantSource clock) {
    return new Registry(
        store,
        clock,
        new SegmentBuffers(PUSHED_SEGMENTS_MAX),
        new SegmentBuffers(PULLED_SEGMENTS_MAX));
  }

  private static byte[] key(@Nullable Path file) throws IOException {
    if (file == null) {
      byte[] key = new byte[KEY_BYTES_MIN];
      new SecureRandom().nextBytes(key);
      return key;
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] key = in.readNBytes(KEY_BYTES_MAX + 1);
      if (key.length < KEY_BYTES_MIN || key.length > KEY_BYTES_MAX) {
        throw new RegenException.BadInput(
            file + " holds " + key.length + " bytes; a key has " + KEY_BYTES_MIN + " or more");
      }
      return key;
    }
  }
}
