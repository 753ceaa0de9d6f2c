package dev.regen.snapshot.remote.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.RemoteStoreContract;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.s3.S3Client;

/** The same against a real Ceph RADOS gateway, which {@code scripts/ceph-rgw} starts. */
@Tag("long")
final class S3StoreCephTest extends RemoteStoreContract {
  private static final Path SCRIPT = Path.of("../scripts/ceph-rgw");
  private static final long LIMIT_MINUTES = 8;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static List<String> gateway;

  private static int prefixes;

  @BeforeAll
  static void start() throws Exception {
    assumeThat(System.getProperty("user.name"))
        .as("Ceph is installed and started")
        .isEqualTo("root");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    String said = script("up", directory.toString(), Integer.toString(port));
    gateway = List.of(said.lines().toList().getLast().split(" ", -1));
    use();
    BucketUrl url = BucketUrl.parse("s3://bucket", java.util.Map.of("endpoint", gateway.get(0)));
    try (S3Client client = Clients.open(url, Duration.ofSeconds(30))) {
      client.createBucket(request -> request.bucket("bucket"));
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (Files.exists(directory.resolve("rgw.pid"))) {
      script("down", directory.toString());
    }
  }

  @Override
  protected RemoteStore open() throws IOException {
    use();
    return url(++prefixes).open(true);
  }

  @Test
  void ofHostsThatReplaceARecordAtOnceOneWins() throws Exception {
    use();
    StoreUrl url = url(++prefixes);
    try (RemoteStore first = url.open(true);
        RemoteStore second = url.open(true)) {
      assertThat(first.id()).isEqualTo(second.id());
      byte[] now = {0};
      assertThat(first.replaceRecord("tag", now, RemoteStore.ABSENT)).isTrue();
      for (int round = 1; round <= 20; round++) {
        List<Future<Boolean>> writers = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
          for (int writer = 0; writer < 4; writer++) {
            RemoteStore store = writer % 2 == 0 ? first : second;
            byte[] content = {(byte) round, (byte) writer};
            String tag = RemoteStore.tag(now);
            writers.add(threads.submit(() -> store.replaceRecord("tag", content, tag)));
          }
        }
        int won = 0;
        for (Future<Boolean> writer : writers) {
          won += writer.get() ? 1 : 0;
        }
        assertThat(won).as("round %d", round).isEqualTo(1);
        now = second.record("tag").orElseThrow();
      }
    }
  }

  private static StoreUrl url(int prefix) {
    return StoreUrl.parse("s3://bucket/p" + prefix + "?endpoint=" + URI.create(gateway.get(0)));
  }

  private static void use() {
    System.setProperty("aws.accessKeyId", gateway.get(1));
    System.setProperty("aws.secretAccessKey", gateway.get(2));
  }

  private static String script(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(List.of(arguments));
    Path said = Files.createTempFile("ceph-rgw", ".out");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      assertThat(process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)).isTrue();
      String text = Files.readString(said, StandardCharsets.UTF_8);
      assertThat(process.exitValue()).as(text).isZero();
      return text;
    } finally {
      Files.delete(said);
    }
  }
}
