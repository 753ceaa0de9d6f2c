package dev.regen.snapshot.transfer;

import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Tag;

/** The same on a storage server. */
@Tag("long")
final class CollectionOnServerTest extends CollectionWhilePushingTest {
  @Override
  Shared shared() throws IOException {
    StorageServer server =
        new StorageServer(
            new StorageOptions(
                new Listening(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null),
                directory.resolve("server"),
                Long.MAX_VALUE,
                null),
            LEASE);
    return new Shared() {
      @Override
      public RemoteStore open() {
        return new HttpStore(server.uri(), HttpStore.Options.DEFAULT);
      }

      @Override
      public void close() throws IOException {
        server.close();
      }
    };
  }
}
