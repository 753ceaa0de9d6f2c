package dev.regen.agent.storage;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.RemoteStoreContract;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** The client against a real server. */
final class HttpStoreTest extends RemoteStoreContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private StorageServer server;

  @SuppressWarnings("NullAway.Init")
  private HttpStore client;

  @Override
  protected RemoteStore open() throws IOException {
    server = new StorageServer(options(directory.resolve("store")));
    client = new HttpStore(server.uri(), HttpStore.Options.DEFAULT);
    return client;
  }

  @AfterEach
  void stop() throws IOException {
    client.close();
    server.close();
  }

  private static StorageOptions options(Path directory) {
    return new StorageOptions(
        new Listening(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null),
        directory,
        Long.MAX_VALUE,
        null);
  }
}
