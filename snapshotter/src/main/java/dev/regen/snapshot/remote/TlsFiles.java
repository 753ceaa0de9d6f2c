package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.snapshot.RegenException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** TLS from PEM files, for either end of a connection. */
public final class TlsFiles {
  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final char[] NO_PASSWORD = {};
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

  private TlsFiles() {}

  /**
   * Reads the files.
   *
   * @param certificate this end's chain, its own certificate first; null for none
   * @param key its private key (PKCS #8, not encrypted), null for none
   * @param trusted who must have signed the other end's certificate, null for Java's own list
   * @throws RegenException.BadInput if one of them is not what it should be
   */
  public static SSLContext context(
      @Nullable Path certificate, @Nullable Path key, @Nullable Path trusted) throws IOException {
    try {
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(
          certificate == null || key == null ? empty() : identity(certificate, key), NO_PASSWORD);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust(trusted), null);
      return context;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new RegenException.BadInput(
          "no TLS with " + certificate + ", " + key + ", " + trusted + ": " + Why.of(e));
    }
  }

  /**
   * Who trusts those alone who are in a file, or whom Java trusts.
   *
   * @throws RegenException.BadInput if the file holds no certificates
   */
  public static TrustManager[] trust(@Nullable Path trusted) throws IOException {
    try {
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted == null ? null : trusted(trusted));
      return trust.getTrustManagers();
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new RegenException.BadInput("no TLS with " + trusted + ": " + Why.of(e));
    }
  }

  private static KeyStore identity(Path certificate, Path key)
      throws IOException, GeneralSecurityException {
    Certificate[] chain = certificates(certificate).toArray(new Certificate[0]);
    KeyStore store = empty();
    store.setKeyEntry("own", privateKey(key, chain[0]), NO_PASSWORD, chain);
    return store;
  }

  private static KeyStore trusted(Path file) throws IOException, GeneralSecurityException {
    KeyStore store = empty();
    for (Certificate certificate : certificates(file)) {
      store.setCertificateEntry("trusted-" + store.size(), certificate);
    }
    return store;
  }

  private static Collection<? extends Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    Collection<? extends Certificate> found =
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(read(file)));
    if (found.isEmpty()) {
      throw new RegenException.BadInput(file + " holds no certificate");
    }
    return found;
  }

  private static PrivateKey privateKey(Path file, Certificate certificate)
      throws IOException, GeneralSecurityException {
    Matcher pem = KEY.matcher(new String(read(file), StandardCharsets.ISO_8859_1));
    if (!pem.find()) {
      throw new RegenException.BadInput(
          file + " holds no private key in PKCS #8; 'openssl pkcs8 -topk8 -nocrypt' makes one");
    }
    byte[] bytes = Base64.getMimeDecoder().decode(pem.group(1));
    return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
        .generatePrivate(new PKCS8EncodedKeySpec(bytes));
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static byte[] read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
      if (bytes.length > FILE_BYTES_MAX) {
        throw new RegenException.BadInput(file + " holds more than " + FILE_BYTES_MAX + " bytes");
      }
      return bytes;
    }
  }
}
