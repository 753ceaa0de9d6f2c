package dev.regen.snapshot.remote;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.s3.BucketUrl;
import dev.regen.snapshot.remote.s3.S3Store;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Where chunks go, as one text:
 *
 * <pre>
 * dir:/srv/regen
 * http://h1:7070
 * https://h1:7070,https://h2:7070;weight=2;domain=rack2?replicas=2&amp;token-file=/etc/regen/token
 * s3://bucket/prefix?endpoint=http://127.0.0.1:7480
 * </pre>
 *
 * <p>Servers stand between commas. Behind each, after semicolons: {@code weight} (0 to 1000,
 * default 1), {@code domain} (what fails together; default: each server its own), {@code id} (what
 * its share of the chunks is computed from; default: its address). After a question mark, for all:
 * {@code replicas} (default 1), {@code token-file}, {@code ca-file}, {@code cert-file}, {@code
 * key-file}. Commas, semicolons and question marks in a path are written {@code %2C}, {@code %3B},
 * {@code %3F}.
 *
 * @param text as it was given
 * @param addresses {@code http}, {@code https}, {@code dir} or {@code s3} each, in the order of the
 *     servers
 */
public record StoreUrl(
    String text, Placement placement, List<URI> addresses, Map<String, String> options) {
  public static final int CHARACTERS_MAX = 8192;

  private static final String S3 = "s3:";
  private static final Set<String> SERVER_KEYS = Set.of("weight", "domain", "id");
  private static final String REPLICAS = "replicas";
  private static final String TOKEN = "token-file";
  private static final String TRUSTED = "ca-file";
  private static final String CERTIFICATE = "cert-file";
  private static final String KEY = "key-file";
  private static final Set<String> FILES = Set.of(TOKEN, TRUSTED, CERTIFICATE, KEY);

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** With others to turn to, nobody waits that long. */
  private static final Duration PATIENCE_WITH_OTHERS = Duration.ofSeconds(10);

  private static final int PORT_MAX = 65_535;
  private static final int CONNECTIONS = 16;

  /** About 13 s of pauses: a server may be started again. */
  private static final int ATTEMPTS = 7;

  private static final int ATTEMPTS_WITH_OTHERS = 2;

  /** When nobody of several could do it; each was asked twice then. */
  private static final int ATTEMPTS_OF_ALL = 4;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  public StoreUrl {
    addresses = List.copyOf(addresses);
    options = Map.copyOf(options);
  }

  /**
   * Reads a text; nothing is connected to.
   *
   * @throws IllegalArgumentException if it has no such form; the message says what of it
   */
  public static StoreUrl parse(String text) {
    require(text.length() <= CHARACTERS_MAX, "a store's URL is too long");
    int question = text.indexOf('?');
    String list = question < 0 ? text : text.substring(0, question);
    Map<String, String> options =
        question < 0 ? Map.of() : pairs(text.substring(question + 1).split("&", -1), 0);
    if (list.startsWith(S3)) {
      BucketUrl.parse(list, options);
      Placement alone = new Placement(List.of(new Placement.Server(list, 1, list)), 1);
      return new StoreUrl(text, alone, List.of(URI.create(list)), options);
    }
    List<Placement.Server> servers = new ArrayList<>();
    List<URI> addresses = new ArrayList<>();
    for (String one : list.split(",", -1)) {
      String[] parts = one.split(";", -1);
      URI address = address(parts[0].strip());
      Map<String, String> given = pairs(parts, 1);
      requireKnown(given, SERVER_KEYS);
      String id = given.getOrDefault("id", id(address));
      require(
          servers.stream().noneMatch(server -> server.id().equals(id)),
          "'" + id + "' stands twice in the URL; name each server once");
      int weight = number("weight", given.getOrDefault("weight", "1"));
      servers.add(new Placement.Server(id, weight, given.getOrDefault("domain", id)));
      addresses.add(address);
    }
    for (Map.Entry<String, String> option : options.entrySet()) {
      require(
          option.getKey().equals(REPLICAS) || FILES.contains(option.getKey()),
          "'"
              + option.getKey()
              + "' is no option of a store; there are replicas, token-file, ca-file, cert-file and"
              + " key-file");
      require(
          !FILES.contains(option.getKey()) || option.getValue().startsWith("/"),
          option.getKey() + " is an absolute path");
    }
    require(
        options.containsKey(CERTIFICATE) == options.containsKey(KEY),
        "cert-file and key-file go together");
    int replicas = number(REPLICAS, options.getOrDefault(REPLICAS, "1"));
    return new StoreUrl(text, new Placement(servers, replicas), addresses, options);
  }

  /**
   * Opens the store.
   *
   * @param make whether a directory or bucket that is no store yet becomes one; of several stores
   *     this is asked only while none of them is one
   * @throws RegenException.NotFound if it is not to be made and is not there
   * @throws RegenException.BadInput if a file of a token or certificate is not what it should be,
   *     or there is no such bucket
   * @throws RegenException.Refused if another process has a directory open, or two addresses are of
   *     one store, or credentials are missing or not enough
   * @throws IOException if a file cannot be read, or no server answers
   */
  public RemoteStore open(boolean make) throws IOException {
    if (!make) {
      requireAny();
    }
    boolean alone = addresses.size() == 1;
    List<RemoteStore> direct = new ArrayList<>();
    List<RemoteStore> stores = new ArrayList<>();
    try {
      HttpStore.Options http = http(alone ? PATIENCE : PATIENCE_WITH_OTHERS);
      for (URI address : addresses) {
        RemoteStore store = one(address, http, make);
        direct.add(store);
        stores.add(
            alone
                ? new RetryingStore(store, ATTEMPTS, FIRST_PAUSE)
                : new RetryingStore(store, ATTEMPTS_WITH_OTHERS, FIRST_PAUSE, false));
      }
      if (alone) {
        // What was never there is not waited for that long.
        new RetryingStore(direct.getFirst(), ATTEMPTS_WITH_OTHERS, FIRST_PAUSE).id();
        return stores.getFirst();
      }
      ShardedStore sharded = new ShardedStore(placement, stores);
      sharded.requireDistinct();
      return new RetryingStore(sharded, ATTEMPTS_OF_ALL, FIRST_PAUSE);
    } catch (IOException | RuntimeException e) {
      for (RemoteStore store : stores) {
        store.close();
      }
      throw e;
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof StoreUrl url && url.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }

  /** Who only looks must not leave a store behind where a path was mistyped. */
  private void requireAny() throws RegenException {
    for (URI address : addresses) {
      if (!"dir".equals(address.getScheme()) || DirectoryRemote.isStore(directory(address))) {
        return;
      }
    }
    Path directory = directory(addresses.getFirst());
    throw new RegenException.NotFound(
        "there is no store at "
            + directory
            + (Files.isDirectory(directory)
                ? ": nothing was pushed to that directory yet"
                : ": that directory is not there; is the path right, the file system mounted?"));
  }

  /** One of the servers, a directory excepted, by itself; nothing is asked of it again. */
  RemoteStore alone(URI address, Duration patience) throws IOException {
    return one(address, http(patience), false);
  }

  private RemoteStore one(URI address, HttpStore.Options http, boolean make) throws IOException {
    return switch (address.getScheme()) {
      case "dir" -> new DirectoryRemote(directory(address), Long.MAX_VALUE);
      case "s3" -> new S3Store(BucketUrl.parse(address.toString(), options), make);
      default -> new HttpStore(address, http);
    };
  }

  private HttpStore.Options http(Duration patience) throws IOException {
    Path token = file(TOKEN);
    boolean tls = addresses.stream().anyMatch(address -> "https".equals(address.getScheme()));
    SSLContext context = tls ? TlsFiles.context(file(CERTIFICATE), file(KEY), file(TRUSTED)) : null;
    return new HttpStore.Options(
        token == null ? null : TokenFile.read(token), context, patience, CONNECTIONS);
  }

  private @Nullable Path file(String option) {
    String path = options.get(option);
    return path == null ? null : Path.of(path);
  }

  private static URI address(String text) {
    URI uri;
    try {
      uri = URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(unknown(text), e);
    }
    if ("dir".equals(uri.getScheme())) {
      require(directory(uri).isAbsolute(), "dir: needs an absolute path: dir:/path");
      return uri;
    }
    boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    require(http && uri.getHost() != null && uri.getUserInfo() == null, unknown(text));
    require(uri.getPort() <= PORT_MAX, "a port is at most " + PORT_MAX + ": " + text);
    require(
        uri.getPath().isEmpty() || uri.getPath().equals("/"),
        "nothing stands behind a server's port: " + text);
    return uri;
  }

  /** Something before an {@code @} may be a password; it goes into no message. */
  private static String unknown(String text) {
    int at = text.lastIndexOf('@');
    return "no store: '"
        + (at < 0 ? text : "…" + text.substring(at))
        + "'; it is dir:/path, http://HOST:PORT, https://HOST:PORT or s3://BUCKET/PREFIX";
  }

  static Path directory(URI address) {
    String path = address.getSchemeSpecificPart();
    return Path.of(path).normalize();
  }

  private static String id(URI address) {
    return "dir".equals(address.getScheme())
        ? "dir:" + directory(address)
        : address.getScheme() + "://" + address.getAuthority();
  }

  private static Map<String, String> pairs(String[] texts, int from) {
    Map<String, String> pairs = new LinkedHashMap<>();
    for (int i = from; i < texts.length; i++) {
      int equals = texts[i].indexOf('=');
      require(equals > 0, "something in a store's URL is not of the form name=value");
      String value = URLDecoder.decode(texts[i].substring(equals + 1), StandardCharsets.UTF_8);
      require(
          pairs.put(texts[i].substring(0, equals), value) == null,
          "'" + texts[i].substring(0, equals) + "' stands twice");
    }
    return pairs;
  }

  private static void requireKnown(Map<String, String> given, Set<String> known) {
    for (String key : given.keySet()) {
      require(known.contains(key), "a server has no '" + key + "'; it has weight, domain and id");
    }
  }

  private static int number(String name, String text) {
    require(text.matches("[0-9]{1,4}"), name + " is a number, not '" + text + "'");
    return Integer.parseInt(text);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
