package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.agent.tcp.Listening;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a server listens: with TLS, and for whom. */
public final class ListeningOptions {
  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "Serve HTTPS with this certificate chain (PEM); read again when it changes.")
  private @Nullable Path certificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Its private key (PEM, PKCS #8).")
  private @Nullable Path key;

  @Option(
      names = "--tls-clients",
      paramLabel = "FILE",
      description = "Clients need a certificate that one of these has signed (PEM).")
  private @Nullable Path clients;

  /** Whether nothing was said. */
  public boolean isEmpty() {
    return certificate == null && key == null && clients == null;
  }

  /**
   * What was said.
   *
   * @param address {@code HOST:PORT}
   * @throws IllegalArgumentException if that is none, or the options do not go together
   */
  public Listening at(String address) {
    requireThere(certificate, key, clients);
    return new Listening(Listening.address(address), certificate, key, clients);
  }

  /**
   * Looks whether files that were named are there.
   *
   * @throws CommandFailure if one is not
   */
  static void requireThere(@Nullable Path... files) {
    for (Path file : files) {
      if (file != null && !Files.exists(file)) {
        throw new CommandFailure(Failure.Code.NOT_FOUND, file + " is not there");
      }
    }
  }
}
