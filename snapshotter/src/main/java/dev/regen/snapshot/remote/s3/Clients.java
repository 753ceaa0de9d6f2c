package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.AwsProfileRegionProvider;
import software.amazon.awssdk.regions.providers.AwsRegionProvider;
import software.amazon.awssdk.regions.providers.AwsRegionProviderChain;
import software.amazon.awssdk.regions.providers.InstanceProfileRegionProvider;
import software.amazon.awssdk.regions.providers.SystemSettingsRegionProvider;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.utils.AttributeMap;

/** The SDK's client, set up for what Regen needs. */
final class Clients {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

  /** How many idle connections the JDK keeps; its own five are fewer than there are calls. */
  private static final String KEPT_CONNECTIONS = "http.maxConnections";

  private Clients() {}

  /** A client; no connection is made yet. Credentials come from where the AWS tools look. */
  static S3Client open(BucketUrl url, Duration patience) {
    if (System.getProperty(KEPT_CONNECTIONS) == null) {
      System.setProperty(KEPT_CONNECTIONS, "16");
    }
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClientBuilder(new Wires(patience, trusted(url)))
            .credentialsProvider(credentials(url))
            .region(region(url))
            // Others than AWS know neither its new checksums nor its chunked signatures.
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .serviceConfiguration(
                S3Configuration.builder()
                    .chunkedEncodingEnabled(false)
                    .expectContinueEnabled(false)
                    .build())
            // Who uses the store calls again, with pauses that others share.
            .overrideConfiguration(
                options -> options.retryStrategy(DefaultRetryStrategy.doNotRetry()));
    if (url.endpoint() != null) {
      builder.endpointOverride(url.endpoint()).forcePathStyle(true);
    }
    return builder.build();
  }

  /** A client of HTTP, which the SDK closes with its own. */
  private record Wires(Duration patience, @Nullable Path trusted)
      implements SdkHttpClient.Builder<Wires> {
    @Override
    public SdkHttpClient buildWithDefaults(AttributeMap defaults) {
      try {
        UrlConnectionHttpClient.Builder usual =
            UrlConnectionHttpClient.builder()
                .connectionTimeout(CONNECT_LIMIT)
                .socketTimeout(patience);
        SSLContext context = null;
        if (trusted != null) {
          TrustManager[] trust = TlsFiles.trust(trusted);
          usual.tlsTrustManagersProvider(() -> trust);
          context = TlsFiles.context(null, null, trusted);
        }
        SdkHttpClient others = usual.buildWithDefaults(defaults);
        return isProxied() ? others : new Sender(others, CONNECT_LIMIT, context);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /**
   * Looks whether the file that says who is trusted is one.
   *
   * @throws dev.regen.snapshot.RegenException.BadInput if it is none
   */
  static void checkTrusted(BucketUrl url) throws IOException {
    Path file = trusted(url);
    if (file != null) {
      TlsFiles.trust(file);
    }
  }

  private static @Nullable Path trusted(BucketUrl url) {
    String bundle = System.getenv("AWS_CA_BUNDLE");
    Path file = url.trusted();
    if (file == null && bundle != null && !bundle.isEmpty()) {
      file = Path.of(bundle);
    }
    return file;
  }

  /** What says where a proxy is, and where none is needed, only the SDK's own client reads. */
  private static boolean isProxied() {
    return System.getProperty("http.proxyHost") != null
        || System.getProperty("https.proxyHost") != null
        || System.getenv().keySet().stream()
            .anyMatch(name -> name.toLowerCase(Locale.ROOT).matches("https?_proxy"));
  }

  private static AwsCredentialsProvider credentials(BucketUrl url) {
    DefaultCredentialsProvider.Builder builder = DefaultCredentialsProvider.builder();
    if (url.profile() != null) {
      builder.profileName(url.profile());
    }
    return builder.build();
  }

  private static Region region(BucketUrl url) {
    if (url.region() != null) {
      return Region.of(url.region());
    }
    Region found = found(new SystemSettingsRegionProvider(), profileRegion(url));
    if (found == null && url.endpoint() == null) {
      found = found(new InstanceProfileRegionProvider());
    }
    return found == null ? Region.US_EAST_1 : found;
  }

  private static AwsRegionProvider profileRegion(BucketUrl url) {
    return url.profile() == null
        ? new AwsProfileRegionProvider()
        : new AwsProfileRegionProvider(null, url.profile());
  }

  private static @Nullable Region found(AwsRegionProvider... providers) {
    try {
      return new AwsRegionProviderChain(providers).getRegion();
    } catch (SdkException e) {
      return null; // Nothing says which.
    }
  }
}
