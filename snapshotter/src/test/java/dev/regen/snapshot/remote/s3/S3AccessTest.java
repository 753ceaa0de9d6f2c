package dev.regen.snapshot.remote.s3;

import static dev.regen.snapshot.remote.s3.Service.ACCESS_KEY;
import static dev.regen.snapshot.remote.s3.Service.BUCKET;
import static dev.regen.snapshot.remote.s3.Service.SECRET_KEY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bucket behind a certificate of nobody whom Java knows, and credentials of a web identity. */
final class S3AccessTest {
  private static final String PASSWORD = "changeit";
  private static final byte[] RECORD = {1, 2, 3};

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static S3Proxy service;

  @BeforeAll
  static void start() throws Exception {
    Path keys = directory.resolve("keys.p12");
    keytool(
        "-genkeypair -alias s3 -keyalg EC -validity 2 -storetype PKCS12 -dname CN=localhost"
            + " -ext SAN=dns:localhost,ip:127.0.0.1 -keystore "
            + keys);
    keytool("-exportcert -rfc -alias s3 -keystore " + keys + " -file " + authority());
    Files.createDirectories(directory.resolve("service").resolve(BUCKET));
    service =
        S3Proxy.builder()
            .blobStore(new FilesystemNio2BlobStore(directory.resolve("service").toString()))
            .secureEndpoint(URI.create("https://127.0.0.1:0"))
            .keyStore(keys.toString(), PASSWORD)
            .stopTimeout(0)
            // The token of a session; what it says the service does not check.
            .ignoreUnknownHeaders(true)
            .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
            .build();
    service.start();
  }

  @AfterAll
  static void stop() throws Exception {
    service.stop();
  }

  @BeforeEach
  void use() {
    System.setProperty("aws.accessKeyId", ACCESS_KEY);
    System.setProperty("aws.secretAccessKey", SECRET_KEY);
  }

  @AfterEach
  void forget() {
    for (String property :
        List.of(
            "aws.region",
            "aws.webIdentityTokenFile",
            "aws.roleArn",
            "aws.roleSessionName",
            "aws.endpointUrlSts")) {
      System.clearProperty(property);
    }
  }

  @Test
  void aCertificateIsTrustedThatCaFileNames() throws Exception {
    try (RemoteStore store = url("&ca-file=" + authority()).open(true)) {
      assertThat(store.replaceRecord("a", RECORD, null)).isTrue();

      assertThat(store.record("a")).contains(RECORD);
    }
  }

  @Test
  void withoutItTheBucketIsNotTalkedTo() {
    assertThatThrownBy(() -> url("").open(true).close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("certificat");
  }

  @Test
  void aFileWithoutCertificatesIsRefusedByItsName() throws Exception {
    Path file = Files.writeString(directory.resolve("empty.pem"), "");

    assertThatThrownBy(() -> url("&ca-file=" + file).open(true).close())
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("empty.pem");
  }

  @Test
  void aWebIdentityBecomesARoleOfTheService() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    HttpServer sts =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    sts.createContext(
        "/",
        exchange -> {
          asked.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          byte[] answer = answer().getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "text/xml");
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    sts.start();
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
    Path token = Files.writeString(directory.resolve("token"), "a-token-of-the-cluster");
    Map.of(
            "aws.region", "us-east-1",
            "aws.webIdentityTokenFile", token.toString(),
            "aws.roleArn", "arn:aws:iam::123456789012:role/regen",
            "aws.roleSessionName", "regen",
            "aws.endpointUrlSts", "http://127.0.0.1:" + sts.getAddress().getPort())
        .forEach(System::setProperty);
    try (RemoteStore store = url("&ca-file=" + authority()).open(true)) {
      assertThat(store.replaceRecord("a", RECORD, null)).isTrue();

      assertThat(asked).isNotEmpty();
      assertThat(asked.getFirst()).contains("a-token-of-the-cluster", "role%2Fregen");
    } finally {
      sts.stop(0);
    }
  }

  private StoreUrl url(String more) {
    return StoreUrl.parse(
        "s3://"
            + BUCKET
            + "/p?writers=one&endpoint=https://127.0.0.1:"
            + service.getSecurePort()
            + more);
  }

  private static Path authority() {
    return directory.resolve("ca.pem");
  }

  private static String answer() {
    return "<AssumeRoleWithWebIdentityResponse"
        + " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>"
        + "<Credentials><SessionToken>session</SessionToken><SecretAccessKey>"
        + SECRET_KEY
        + "</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration><AccessKeyId>"
        + ACCESS_KEY
        + "</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"
        + "</AssumeRoleWithWebIdentityResponse>";
  }

  private static void keytool(String arguments) throws Exception {
    String[] words =
        (Path.of(System.getProperty("java.home"), "bin", "keytool")
                + " "
                + arguments
                + " -storepass "
                + PASSWORD)
            .split(" ", -1);
    Process keytool = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(keytool.exitValue()).as(said).isZero();
  }
}
