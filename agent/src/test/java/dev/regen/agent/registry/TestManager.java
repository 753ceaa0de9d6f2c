package dev.regen.agent.registry;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A manager in this process, on a free port of 127.0.0.1, over a directory. */
record TestManager(ManagerServer server) implements AutoCloseable {
  static TestManager open(Path store) throws IOException {
    return open("dir:" + store, null, null);
  }

  static TestManager open(String store, @Nullable Path htpasswd, @Nullable Path rules)
      throws IOException {
    Listening here =
        new Listening(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null);
    return new TestManager(
        new ManagerServer(
            new ManagerOptions(here, StoreUrl.parse(store), htpasswd, rules, null, null, null)));
  }

  /** As it stands in front of an image's name. */
  String host() {
    return server.uri().getAuthority();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
