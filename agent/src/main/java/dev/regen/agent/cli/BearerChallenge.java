package dev.regen.agent.cli;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a registry wants its clients to get a token.
 *
 * <p>Source: Docker's "Token Authentication Specification".
 */
record BearerChallenge(URI realm, String service, String scope) {
  private static final Pattern PARAMETER = Pattern.compile("([a-zA-Z]+)=\"([^\"]*)\"");

  /** Reads the header {@code WWW-Authenticate}; empty if it asks for something else. */
  static Optional<BearerChallenge> parse(String header) {
    if (!header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return Optional.empty();
    }
    Map<String, String> parameters = new HashMap<>();
    Matcher matcher = PARAMETER.matcher(header);
    while (matcher.find()) {
      parameters.put(matcher.group(1), matcher.group(2));
    }
    try {
      URI realm = URI.create(parameters.getOrDefault("realm", ""));
      return realm.getHost() == null
          ? Optional.empty()
          : Optional.of(
              new BearerChallenge(
                  realm,
                  parameters.getOrDefault("service", ""),
                  parameters.getOrDefault("scope", "")));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /**
   * Where to ask.
   *
   * @param user null for nobody
   */
  URI question(@Nullable String user) {
    StringBuilder query = new StringBuilder("service=" + encoded(service));
    if (!scope.isEmpty()) {
      query.append("&scope=").append(encoded(scope));
    }
    if (user != null) {
      query.append("&account=").append(encoded(user));
    }
    return URI.create(realm + (realm.getRawQuery() == null ? "?" : "&") + query);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
