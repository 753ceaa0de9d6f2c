package dev.regen.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.TestCertificate;
import dev.regen.snapshot.remote.TlsFiles;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A certificate that is replaced while the manager runs. */
final class ManagerTlsTest {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @BeforeEach
  void make() throws Exception {
    TestCertificate.make(directory, "first");
    TestCertificate.make(directory, "second");
    use("first");
  }

  @Test
  void theNextConnectionGetsTheCertificateThatIsThereNow() throws Exception {
    try (ServedRegistry manager =
        ServedRegistry.tls(
            "dir:" + directory.resolve("store"),
            directory.resolve("used.crt"),
            directory.resolve("used.key"))) {
      assertThat(status(manager, "first")).isEqualTo(200);

      use("second");

      Instant end = Instant.now().plus(LIMIT);
      while (!isTrusted(manager, "second") && Instant.now().isBefore(end)) {
        Thread.sleep(100);
      }
      assertThat(isTrusted(manager, "second")).isTrue();
      assertThat(isTrusted(manager, "first")).isFalse();
      Files.writeString(directory.resolve("used.key"), "nonsense");
      Thread.sleep(3_000);
      assertThat(isTrusted(manager, "second")).isTrue();
    }
  }

  private int status(ServedRegistry manager, String trusted) throws Exception {
    SSLContext tls = TlsFiles.context(null, null, directory.resolve(trusted + ".crt"));
    try (HttpClient http = HttpClient.newBuilder().sslContext(tls).build()) {
      return new RegistryClient(http, manager.uri()).get("/v2/").status();
    }
  }

  private boolean isTrusted(ServedRegistry manager, String certificate) throws Exception {
    try {
      return status(manager, certificate) == 200;
    } catch (SSLException e) {
      return false;
    }
  }

  private void use(String name) throws Exception {
    for (String kind : new String[] {".crt", ".key"}) {
      Path used = directory.resolve("used" + kind);
      Instant before =
          Files.exists(used) ? Files.getLastModifiedTime(used).toInstant() : Instant.EPOCH;
      Files.copy(directory.resolve(name + kind), used, StandardCopyOption.REPLACE_EXISTING);
      Files.setLastModifiedTime(used, FileTime.from(before.plusSeconds(2)));
    }
  }
}
