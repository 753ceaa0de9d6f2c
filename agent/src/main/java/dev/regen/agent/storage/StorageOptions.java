package dev.regen.agent.storage;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import org.jspecify.annotations.Nullable;

/**
 * What a storage server is told.
 *
 * @param directory where it keeps everything; made if need be
 * @param quotaBytes the most that chunks and records may hold together
 * @param token what every request must bear, null for none
 * @param certificate chain of the server in PEM, null for plain HTTP
 * @param key its private key, in PEM (PKCS #8)
 * @param clients whose certificates a client must have one of, in PEM; null if it needs none
 */
public record StorageOptions(
    InetSocketAddress listen,
    Path directory,
    long quotaBytes,
    @Nullable String token,
    @Nullable Path certificate,
    @Nullable Path key,
    @Nullable Path clients) {
  private static final int TOKEN_BYTES_MAX = 1024;

  public StorageOptions {
    if (listen.isUnresolved()) {
      throw new IllegalArgumentException("no address is known for " + listen.getHostString());
    }
    if (quotaBytes < 1) {
      throw new IllegalArgumentException("a quota is at least 1 byte");
    }
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("--tls-cert and --tls-key go together");
    }
    if (clients != null && certificate == null) {
      throw new IllegalArgumentException("--tls-clients needs --tls-cert and --tls-key");
    }
  }

  /** Reads {@code HOST:PORT} or {@code [IPV6]:PORT}; port 0 takes a free one. */
  public static InetSocketAddress address(String text) {
    URI uri;
    try {
      uri = URI.create("http://" + text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not HOST:PORT: " + text, e);
    }
    if (uri.getHost() == null || uri.getPort() < 0 || !text.endsWith(":" + uri.getPort())) {
      throw new IllegalArgumentException("not HOST:PORT: " + text);
    }
    return new InetSocketAddress(uri.getHost().replaceAll("[\\[\\]]", ""), uri.getPort());
  }

  /**
   * The token in a file: its content without white space around it.
   *
   * @throws RegenException.BadInput if it is shorter than 16 characters or longer than 1,024, has
   *     other than printable ASCII characters, or everybody may read the file
   */
  public static String token(Path file) throws IOException {
    if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
      throw new RegenException.BadInput(
          "everybody may read the token in " + file + ": chmod 600 " + file);
    }
    try (var in = Files.newInputStream(file)) {
      String token =
          new String(in.readNBytes(TOKEN_BYTES_MAX + 1), StandardCharsets.ISO_8859_1).strip();
      if (!token.matches("[!-~]{16,1024}")) {
        throw new RegenException.BadInput(
            file + " holds no token: 16 to 1024 printable ASCII characters");
      }
      return token;
    }
  }

  /** Whether anybody who reaches the address may read and write, from other hosts too. */
  boolean openToAll() {
    InetAddress address = listen.getAddress();
    return token == null && clients == null && !address.isLoopbackAddress();
  }
}
