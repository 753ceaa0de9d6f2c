package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.tcp.Listening;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS at both ends, with certificates that openssl makes. */
final class StorageServerTlsTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @Test
  void onlyClientsWithAKnownCertificateAreServed() throws Exception {
    for (String name : List.of("server", "known", "stranger")) {
      TestCertificate.make(directory, name);
    }
    byte[] bytes = bytes(1, 300_000);
    try (StorageServer server = server()) {
      assertThat(server.uri().getScheme()).isEqualTo("https");
      try (HttpStore known = client(server, "known")) {
        known.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
        assertThat(known.get(digest(bytes), bytes.length)).isEqualTo(bytes);
      }
      try (HttpStore stranger = client(server, "stranger")) {
        assertThatThrownBy(() -> stranger.missing(Set.of(digest(bytes))))
            .isInstanceOf(IOException.class);
      }
    }
  }

  private StorageServer server() throws IOException {
    return new StorageServer(
        new StorageOptions(
            new Listening(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                file("server.crt"),
                file("server.key"),
                file("known.crt")),
            directory.resolve("store"),
            Long.MAX_VALUE,
            null));
  }

  private HttpStore client(StorageServer server, String name) throws IOException {
    SSLContext tls = TlsFiles.context(file(name + ".crt"), file(name + ".key"), file("server.crt"));
    return new HttpStore(server.uri(), new HttpStore.Options(null, tls, Duration.ofSeconds(10), 2));
  }

  private Path file(String name) {
    return directory.resolve(name);
  }
}
