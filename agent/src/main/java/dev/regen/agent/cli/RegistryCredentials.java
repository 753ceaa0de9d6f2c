package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A name and its password, for a registry.
 *
 * @param user of letters; no colon is in it
 */
record RegistryCredentials(String user, String password) {
  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final int PASSWORD_BYTES_MAX = 4_096;

  /** The value of the header. */
  String basic() {
    byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(pair);
  }

  /** Of a person who says his name, and whose password comes here, in one line. */
  static RegistryCredentials read(String user, InputStream password) {
    try {
      byte[] bytes = password.readNBytes(PASSWORD_BYTES_MAX + 1);
      String text = new String(bytes, StandardCharsets.UTF_8).replaceFirst("\\r?\\n$", "");
      if (text.isEmpty() || bytes.length > PASSWORD_BYTES_MAX || text.contains("\n")) {
        throw new CommandFailure(
            Failure.Code.USAGE, "--password-stdin: the password is one line of standard input");
      }
      return new RegistryCredentials(user, text);
    } catch (IOException e) {
      throw new CommandFailure(
          Failure.Code.FAILED, "no password could be read from standard input: " + Why.of(e));
    }
  }

  /**
   * What {@code docker login} has written down for this host.
   *
   * @param environment says where, as for {@code docker}
   */
  static Optional<RegistryCredentials> saved(Map<String, String> environment, String host) {
    Path file = file(environment);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (InputStream in = Files.newInputStream(file)) {
      JsonObject auths = JsonObject.parse(in.readNBytes(FILE_BYTES_MAX)).objectOrNull("auths");
      if (auths != null) {
        for (String name : List.of(host, "https://" + host, "http://" + host)) {
          Optional<RegistryCredentials> found = of(auths.objectOrNull(name));
          if (found.isPresent()) {
            return found;
          }
        }
      }
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure(
          Failure.Code.FAILED,
          file + " cannot be read (" + Why.of(e) + "); say who you are with --user NAME");
    }
  }

  static Path file(Map<String, String> environment) {
    String directory = environment.get("DOCKER_CONFIG");
    return directory == null || directory.isEmpty()
        ? Path.of(environment.getOrDefault("HOME", "/root"), ".docker", "config.json")
        : Path.of(directory, "config.json");
  }

  private static Optional<RegistryCredentials> of(@Nullable JsonObject auth) throws IOException {
    if (auth == null) {
      return Optional.empty();
    }
    String pair = auth.stringOrNull("auth");
    if (pair != null && !pair.isEmpty()) {
      String text = new String(Base64.getDecoder().decode(pair), StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      return colon < 1
          ? Optional.empty()
          : Optional.of(
              new RegistryCredentials(text.substring(0, colon), text.substring(colon + 1)));
    }
    String user = auth.stringOrNull("username");
    String password = auth.stringOrNull("password");
    return user == null || password == null
        ? Optional.empty()
        : Optional.of(new RegistryCredentials(user, password));
  }
}
