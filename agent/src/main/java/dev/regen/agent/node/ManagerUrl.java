package dev.regen.agent.node;

import dev.regen.snapshot.remote.TlsFiles;
import dev.regen.snapshot.remote.TokenFile;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a manager is reached, as one text: {@code http(s)://HOST:PORT}, and behind a question mark
 * {@code token-file}, {@code ca-file}, {@code cert-file}, {@code key-file}, absolute paths.
 *
 * @param address without the options
 */
public record ManagerUrl(URI address, Map<String, String> options) {
  private static final int CHARACTERS_MAX = 4096;
  private static final String TOKEN = "token-file";
  private static final String TRUSTED = "ca-file";
  private static final String CERTIFICATE = "cert-file";
  private static final String KEY = "key-file";
  private static final Set<String> OPTIONS = Set.of(TOKEN, TRUSTED, CERTIFICATE, KEY);
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

  public ManagerUrl {
    options = Map.copyOf(options);
  }

  /**
   * Reads a text; nothing is connected to.
   *
   * @throws IllegalArgumentException if it has no such form; the message says what of it
   */
  public static ManagerUrl parse(String text) {
    require(text.length() <= CHARACTERS_MAX, "a manager's URL is too long");
    int question = text.indexOf('?');
    String before = question < 0 ? text : text.substring(0, question);
    int at = before.lastIndexOf('@');
    // Something before an @ may be a password; it goes into no message, Java's own included.
    require(
        at < 0,
        "a manager is http://HOST:PORT or https://HOST:PORT, without a name or password before '"
            + before.substring(at + 1)
            + "'; ?token-file=/path names a token");
    URI address = URI.create(before);
    boolean http = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
    require(
        http
            && address.getHost() != null
            && address.getFragment() == null
            && (address.getPath().isEmpty() || address.getPath().equals("/")),
        "a manager is http://HOST:PORT or https://HOST:PORT, not '" + text + "'");
    Map<String, String> options =
        question < 0 ? Map.of() : options(text.substring(question + 1).split("&", -1));
    require(
        options.containsKey(CERTIFICATE) == options.containsKey(KEY),
        "cert-file and key-file go together");
    return new ManagerUrl(
        URI.create(address.getScheme() + "://" + address.getAuthority()), options);
  }

  /** The token as it is in its file now, null for none. */
  public @Nullable String token() throws IOException {
    Path file = tokenFile();
    return file == null ? null : TokenFile.read(file);
  }

  /** Where the token is, null for nowhere. */
  public @Nullable Path tokenFile() {
    return file(TOKEN);
  }

  /** Whether what is sent there can be read on the way. */
  boolean isPlain() {
    String host = address.getHost();
    boolean here = host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
    return "http".equals(address.getScheme()) && !here;
  }

  /** The same with another file of a token. */
  public ManagerUrl withTokenFile(Path file) {
    Map<String, String> other = new LinkedHashMap<>(options);
    other.put(TOKEN, file.toAbsolutePath().toString());
    return new ManagerUrl(address, other);
  }

  /** A client with the certificates as they are now. */
  public HttpClient client() throws IOException {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_LIMIT);
    if ("https".equals(address.getScheme())) {
      builder.sslContext(TlsFiles.context(file(CERTIFICATE), file(KEY), file(TRUSTED)));
    }
    return builder.build();
  }

  @Override
  public String toString() {
    return address.toString();
  }

  private @Nullable Path file(String option) {
    String path = options.get(option);
    return path == null ? null : Path.of(path);
  }

  private static Map<String, String> options(String[] texts) {
    Map<String, String> options = new LinkedHashMap<>();
    for (String text : texts) {
      int equals = text.indexOf('=');
      require(equals > 0, "something in a manager's URL is not of the form name=value");
      String name = text.substring(0, equals);
      require(
          OPTIONS.contains(name),
          "a manager's URL has no '" + name + "'; it has token-file, ca-file, cert-file, key-file");
      String value =
          URLDecoder.decode(text.substring(equals + 1).replace("+", "%2B"), StandardCharsets.UTF_8);
      require(value.startsWith("/"), name + " is an absolute path");
      require(options.put(name, value) == null, "'" + name + "' stands twice");
    }
    return options;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
