package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/**
 * An S3 service of this process over a directory. It checks signatures, but of several writers more
 * than one may win.
 */
final class Service implements AutoCloseable {
  static final String BUCKET = "bucket";
  static final String ACCESS_KEY = "test";
  static final String SECRET_KEY = "a secret of the test";

  private final S3Proxy proxy;
  private final Path directory;

  Service(Path directory) throws Exception {
    this.directory = directory;
    Files.createDirectories(bucketDirectory());
    System.setProperty("aws.accessKeyId", ACCESS_KEY);
    System.setProperty("aws.secretAccessKey", SECRET_KEY);
    proxy =
        S3Proxy.builder()
            .blobStore(new FilesystemNio2BlobStore(directory.toString()))
            .endpoint(URI.create("http://127.0.0.1:0"))
            .stopTimeout(0)
            .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
            .build();
    proxy.start();
  }

  int port() {
    return proxy.getPort();
  }

  /** Where the service keeps the bucket's objects, a file each. */
  Path bucketDirectory() {
    return directory.resolve(BUCKET);
  }

  BucketUrl url(String prefix) {
    return url(prefix, port());
  }

  static BucketUrl url(String prefix, int port) {
    return new BucketUrl(
        BUCKET, prefix, URI.create("http://127.0.0.1:" + port), null, null, null, true);
  }

  String text(String prefix) {
    return "s3://" + BUCKET + "/" + prefix + "?writers=one&endpoint=http://127.0.0.1:" + port();
  }

  S3Store store(String prefix) {
    return store(prefix, S3Store.LEASE);
  }

  S3Store store(String prefix, Duration lease) {
    BucketUrl url = url(prefix);
    return new S3Store(url, new Bucket(url), true, lease);
  }

  RemoteStore open(String prefix) throws IOException {
    return StoreUrl.parse(text(prefix)).open(true);
  }

  @Override
  public void close() {
    try {
      proxy.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
