package dev.regen.agent.registry;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** A manager in this process, and clients of it. */
final class ServedRegistry implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final InetSocketAddress ANYWHERE =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  private static final Listening PLAIN = new Listening(ANYWHERE, null, null, null);

  private final ManagerServer server;
  private final HttpClient http = HttpClient.newHttpClient();

  private ServedRegistry(ManagerOptions options, InstantSource clock, Duration idle)
      throws IOException {
    server = new ManagerServer(options, clock, idle);
  }

  /** One that everybody may use, over {@code dir:…} or another store. */
  static ServedRegistry over(String store) throws IOException {
    return over(store, null, null, InstantSource.system());
  }

  static ServedRegistry over(
      String store, @Nullable Path htpasswd, @Nullable Path rules, InstantSource clock)
      throws IOException {
    return new ServedRegistry(options(PLAIN, store, htpasswd, rules, null), clock, PATIENCE);
  }

  /** One over a directory that shares its key with others. */
  static ServedRegistry with(Path directory, Path htpasswd, Path tokenKey) throws IOException {
    ManagerOptions options = options(PLAIN, "dir:" + directory, htpasswd, null, tokenKey);
    return new ServedRegistry(options, InstantSource.system(), PATIENCE);
  }

  /** One that ends a connection on which nothing comes for so long. */
  static ServedRegistry impatient(String store, Duration idle) throws IOException {
    return new ServedRegistry(
        options(PLAIN, store, null, null, null), InstantSource.system(), idle);
  }

  static ServedRegistry tls(String store, Path certificate, Path key) throws IOException {
    Listening listening = new Listening(ANYWHERE, certificate, key, null);
    ManagerOptions options = options(listening, store, null, null, null);
    return new ServedRegistry(options, InstantSource.system(), PATIENCE);
  }

  private static ManagerOptions options(
      Listening listening,
      String store,
      @Nullable Path htpasswd,
      @Nullable Path rules,
      @Nullable Path tokenKey) {
    return new ManagerOptions(
        listening, StoreUrl.parse(store), htpasswd, rules, tokenKey, null, null);
  }

  RegistryClient client() {
    return new RegistryClient(http, uri());
  }

  URI uri() {
    return server.uri();
  }

  @Override
  public void close() throws IOException {
    http.close();
    server.close();
  }
}
