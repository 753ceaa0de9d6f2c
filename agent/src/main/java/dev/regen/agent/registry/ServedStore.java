package dev.regen.agent.registry;

import dev.regen.agent.observe.Exposition;
import dev.regen.agent.observe.StoreHealth;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.publish.Publishing;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.SegmentBuffers;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/** A store that is open, and the registry over it. */
final class ServedStore implements AutoCloseable {
  private static final int KEY_BYTES_MIN = 32;
  private static final int KEY_BYTES_MAX = 4_096;

  /** 64 MiB at most of what is pushed. */
  private static final int PUSHED_SEGMENTS_MAX = 64;

  /** 96 MiB at most of what is pulled: a slow client holds one until he has it. */
  private static final int PULLED_SEGMENTS_MAX = 96;

  private static final Duration STORED_LIMIT = Duration.ofSeconds(10);

  private final RemoteStore store;
  private final Registry registry;
  private final Rules rules;
  private final RegistryHandler handler;
  private final @Nullable Access access;
  private final StoreUrl url;
  private @Nullable StoreHealth health;
  private final InstantSource clock;
  private final @Nullable Duration collectEvery;
  private @Nullable Upkeep upkeep;

  ServedStore(StoreUrl url, ManagerOptions options, InstantSource clock) throws IOException {
    Users users = options.htpasswd() == null ? null : new Users(options.htpasswd());
    rules = new Rules(options.rules());
    if (users == null && rules.haveRights()) {
      throw new RegenException.BadInput(
          options.rules()
              + " says who may do what, and nobody can log in: name the users with --htpasswd, or"
              + " take 'rights' out");
    }
    Tokens tokens = new Tokens(key(options.tokenKey()), clock);
    Access checked = new Access(users, rules, tokens, options.url());
    this.clock = clock;
    this.collectEvery = options.collectEvery();
    store = url.open(true);
    registry = registry(store, clock);
    handler = new RegistryHandler(registry, new Publishing(store, registry), checked, rules);
    this.url = url;
    access = users == null ? null : checked;
  }

  static Registry registry(RemoteStore store, InstantSource clock) {
    return new Registry(
        store,
        clock,
        new SegmentBuffers(PUSHED_SEGMENTS_MAX),
        new SegmentBuffers(PULLED_SEGMENTS_MAX));
  }

  Handler handler() {
    return handler;
  }

  /** Who may use it; null for everybody. */
  @Nullable Access access() {
    return access;
  }

  /** Adds how its servers are. */
  void measureBy(Exposition to) {
    health = StoreHealth.of(url, to);
  }

  /** What is to be done now and then is done from now on. */
  void keepUp() {
    upkeep = new Upkeep(store, registry, rules, clock, collectEvery);
  }

  /** Nothing is served any more. */
  @Override
  public void close() throws IOException {
    Upkeep running = upkeep;
    if (running != null) {
      running.close();
    }
    StoreHealth asked = health;
    if (asked != null) {
      asked.close();
    }
    // What has arrived of uploads under way is kept.
    registry.awaitStored(STORED_LIMIT);
    store.close();
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
