package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Who somebody is at a manager, and how that is reached; {@code docker}'s ways where there are. */
final class ManagerAccess {
  private static final Path CERTIFICATES = Path.of("/etc/docker/certs.d");

  @Option(
      names = "--user",
      paramLabel = "NAME",
      description =
          "Who you are there, with --password-stdin. Default: what 'docker login' has saved.")
  private @Nullable String user;

  @Option(names = "--password-stdin", description = "Read the password from standard input.")
  private boolean passwordStdin;

  @Option(
      names = "--ca-file",
      paramLabel = "FILE",
      description =
          "Who has signed the manager's certificate (PEM). Default:"
              + " /etc/docker/certs.d/HOST/ca.crt, else Java's list.")
  private @Nullable Path caFile;

  @Option(
      names = "--plain-http",
      description = "No TLS; without it none is used for this host's own addresses only.")
  private boolean plainHttp;

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  /** A client of the manager that holds, or is to hold, an image. */
  ManagerClient client(Regen regen, ImageReference image) throws IOException {
    if (passwordStdin != (user != null)) {
      throw new ParameterException(
          spec.commandLine(), "--user NAME and --password-stdin go together");
    }
    SSLContext tls = tls(image);
    String name = user;
    RegistryCredentials credentials =
        name == null
            ? RegistryCredentials.saved(regen.environment(), image.host()).orElse(null)
            : RegistryCredentials.read(name, regen.in());
    return new ManagerClient(image.host(), credentials, tls);
  }

  /** Null for plain HTTP. */
  private @Nullable SSLContext tls(ImageReference image) throws IOException {
    if (caFile != null && !Files.exists(caFile)) {
      throw new CommandFailure(Failure.Code.NOT_FOUND, caFile + " is not there");
    }
    Path known = CERTIFICATES.resolve(image.host()).resolve("ca.crt");
    Path trusted = caFile != null ? caFile : Files.exists(known) ? known : null;
    return plainHttp || (image.isLoopback() && trusted == null)
        ? null
        : TlsFiles.context(null, null, trusted);
  }
}
