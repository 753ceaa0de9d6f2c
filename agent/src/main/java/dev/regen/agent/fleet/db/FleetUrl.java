package dev.regen.agent.fleet.db;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a fleet's state is kept: {@code sqlite:/path/fleet.db}, or {@code
 * postgresql://USER:PASSWORD@HOST:PORT/DATABASE}, where the password may stand in a file instead
 * ({@code ?password-file=/path}). Printed without its password.
 */
public sealed interface FleetUrl {
  int PASSWORD_BYTES_MAX = 1024;

  Pattern POSTGRESQL =
      Pattern.compile("postgres(?:ql)?://(?<authority>[^/?]+)/(?<name>[^/?]+)(?<query>\\?.*)?");

  /** A file of this host, for one manager. */
  record Sqlite(Path file) implements FleetUrl {
    @Override
    public String toString() {
      return "sqlite:" + file;
    }
  }

  /** A database that several managers may share. */
  record Postgresql(
      String host,
      int port,
      String name,
      String user,
      @Nullable String password,
      @Nullable Path passwordFile)
      implements FleetUrl {
    @Nullable String secret() throws IOException {
      Path file = passwordFile;
      if (file == null) {
        return password;
      }
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        throw new RegenException.BadInput(
            "everybody may read the password in " + file + ": chmod 600 " + file);
      }
      try (InputStream in = Files.newInputStream(file)) {
        return new String(in.readNBytes(PASSWORD_BYTES_MAX), StandardCharsets.UTF_8).strip();
      }
    }

    @Override
    public String toString() {
      return "postgresql://" + user + "@" + host + ":" + port + "/" + name;
    }
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException if it is none; its message holds no password
   */
  static FleetUrl parse(String text) {
    if (text.startsWith("sqlite:") && text.length() > "sqlite:".length()) {
      return new Sqlite(Path.of(text.substring("sqlite:".length())).toAbsolutePath());
    }
    Matcher matcher = POSTGRESQL.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "a fleet's database is sqlite:/path/fleet.db or postgresql://USER:PASSWORD@HOST:PORT/NAME");
    }
    try {
      return postgresql(matcher);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the fleet's database: " + e.getMessage());
    }
  }

  private static Postgresql postgresql(Matcher matcher) {
    String authority = matcher.group("authority");
    int at = authority.lastIndexOf('@');
    if (at < 1) {
      throw new IllegalArgumentException(
          "say who you are there: postgresql://USER:PASSWORD@HOST/…");
    }
    URI where = URI.create("x://" + authority.substring(at + 1));
    if (where.getHost() == null) {
      throw new IllegalArgumentException("no host is named");
    }
    String[] login = authority.substring(0, at).split(":", 2);
    String query = matcher.group("query");
    Path file = null;
    if (query != null) {
      if (!query.startsWith("?password-file=") || query.contains("&")) {
        throw new IllegalArgumentException("the only option is password-file");
      }
      file = Path.of(decoded(query.substring("?password-file=".length())));
    }
    return new Postgresql(
        where.getHost(),
        where.getPort() < 0 ? 5432 : where.getPort(),
        decoded(matcher.group("name")),
        decoded(login[0]),
        login.length < 2 ? null : decoded(login[1]),
        file);
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }
}
