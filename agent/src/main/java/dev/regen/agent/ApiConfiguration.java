package dev.regen.agent;

import dev.regen.agent.api.ApiLimits;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who may reach the API, and how.
 *
 * @param listening a TCP port besides the Unix socket ({@code listen}, {@code tlsCert}, {@code
 *     tlsKey}, {@code tlsClients}), null for none
 * @param insecure whether that may be plain HTTP on other than loopback ({@code insecureHttp}):
 *     tokens and what snapshots hold can then be read on the way
 * @param socketGroup whose members may use the Unix socket, and so are as powerful as root ({@code
 *     socketGroup}); null for the group of the process
 * @param requestsPerSecond of one token in the long run ({@code requestsPerSecond}); 0 for any
 */
public record ApiConfiguration(
    @Nullable Listening listening,
    boolean insecure,
    @Nullable String socketGroup,
    int requestsPerSecond) {
  static final Set<String> KEYS =
      Set.of(
          "listen",
          "tlsCert",
          "tlsKey",
          "tlsClients",
          "insecureHttp",
          "socketGroup",
          "requestsPerSecond");
  private static final int REQUESTS_MAX = 100_000;

  public ApiConfiguration {
    if (listening != null
        && listening.certificate() == null
        && !insecure
        && !listening.address().getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          "tokens would go over the network for everybody to read: name a certificate (--tls-cert,"
              + " --tls-key), listen on 127.0.0.1, or say --insecure-http");
    }
    if (requestsPerSecond < 0 || requestsPerSecond > REQUESTS_MAX) {
      throw new IllegalArgumentException("requestsPerSecond is 0 to " + REQUESTS_MAX);
    }
  }

  static ApiConfiguration of(JsonObject json) throws IOException {
    String listen = json.stringOrNull("listen");
    if (listen == null && (json.has("tlsCert") || json.has("tlsKey") || json.has("tlsClients"))) {
      throw new IllegalArgumentException("a certificate needs 'listen': HOST:PORT");
    }
    return new ApiConfiguration(
        listen == null
            ? null
            : new Listening(
                Listening.address(listen),
                path(json, "tlsCert"),
                path(json, "tlsKey"),
                path(json, "tlsClients")),
        json.flag("insecureHttp"),
        json.stringOrNull("socketGroup"),
        Math.toIntExact(json.numberOr("requestsPerSecond", ApiLimits.REQUESTS_PER_SECOND)));
  }

  /** The same on a port that was said otherwise. */
  ApiConfiguration with(Listening other, boolean otherInsecure) {
    return new ApiConfiguration(other, insecure || otherInsecure, socketGroup, requestsPerSecond);
  }

  private static @Nullable Path path(JsonObject json, String key) throws IOException {
    String text = json.stringOrNull(key);
    return text == null ? null : Path.of(text);
  }
}
