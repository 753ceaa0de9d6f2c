package dev.regen.snapshot.remote.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.regen.snapshot.remote.RemoteStore;
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
import java.util.Map;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.services.s3.S3Client;

/** A real Ceph RADOS gateway, which {@code scripts/ceph-rgw} starts, with one bucket. */
public final class Ceph implements AutoCloseable {
  private static final Path SCRIPT = Path.of("../scripts/ceph-rgw");
  private static final long LIMIT_MINUTES = 8;
  private static final String BUCKET = "bucket";

  private final Path directory;
  private final URI endpoint;
  private final String accessKey;
  private final String secretKey;

  /** Starts one; the test is left out for whoever may not install it. */
  public Ceph(Path directory) throws Exception {
    assumeThat(System.getProperty("user.name"))
        .as("Ceph is installed and started")
        .isEqualTo("root");
    this.directory = directory;
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    String said = script("up", directory.toString(), Integer.toString(port));
    String[] gateway = said.lines().toList().getLast().split(" ", -1);
    this.endpoint = URI.create(gateway[0]);
    this.accessKey = gateway[1];
    this.secretKey = gateway[2];
    use();
    try (S3Client client = Clients.open(bucketUrl(""), Duration.ofSeconds(30))) {
      client.createBucket(request -> request.bucket(BUCKET));
    }
  }

  /** Its credentials are this process's from now on. */
  public void use() {
    System.setProperty("aws.accessKeyId", accessKey);
    System.setProperty("aws.secretAccessKey", secretKey);
  }

  StoreUrl url(String prefix) {
    return StoreUrl.parse("s3://" + BUCKET + "/" + prefix + "?endpoint=" + endpoint);
  }

  /** The store under a prefix, as one more host has it open. */
  public RemoteStore open(String prefix, Duration lease) {
    BucketUrl url = bucketUrl(prefix);
    return new S3Store(url, new Bucket(url), true, lease);
  }

  /** What lies under a prefix now. */
  Bucket bucket(String prefix) {
    return new Bucket(bucketUrl(prefix));
  }

  @Override
  public void close() throws IOException {
    if (Files.exists(directory.resolve("rgw.pid"))) {
      try {
        script("down", directory.toString());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private BucketUrl bucketUrl(String prefix) {
    return BucketUrl.parse(
        "s3://" + BUCKET + "/" + prefix, Map.of("endpoint", endpoint.toString()));
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
