package dev.regen.agent.cli;

import dev.regen.agent.fleet.FirstTokens;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.observe.JsonLog;
import dev.regen.agent.observe.ObserveConfiguration;
import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "manager",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Runs the manager in the foreground, until SIGTERM or SIGINT: a registry for 'docker push'"
          + " and 'docker pull' over a store of chunks, and with --fleet what nodes connect to"
          + " ('regen agent --manager') and 'regen fleet' asks. It needs no agent.",
      "Without --htpasswd whoever reaches it may read and write everything in the registry; the"
          + " fleet is for those with a token. 'regen manager token' makes the first."
    },
    subcommands = {ManagerCollectCommand.class, ManagerTokenCommand.class})
final class ManagerCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:5000",
      description = "Where it listens (default: ${DEFAULT-VALUE}); port 0 takes a free one.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String listen;

  @Option(
      names = "--store",
      paramLabel = "URL",
      description =
          "Where the registry is kept: dir:/path, http://HOST:PORT,… or s3://BUCKET/PREFIX.")
  private @Nullable String store;

  @Option(
      names = "--fleet",
      paramLabel = "DATABASE",
      description =
          "Where the fleet's state is kept: sqlite:/path/fleet.db, or"
              + " postgresql://USER:PASSWORD@HOST:PORT/NAME (or ?password-file=/path), which several"
              + " managers may share. With it --tls-clients are wanted, not needed: nodes may show"
              + " a certificate of their name.")
  private @Nullable String fleet;

  @Option(
      names = "--admin-token",
      paramLabel = "FILE",
      description =
          "With --fleet: an administrator's token is made and written there, unless the file is"
              + " there; 'regen fleet --token-file' takes it.")
  private @Nullable Path adminToken;

  @Option(
      names = "--join",
      paramLabel = "NODE=FILE",
      description =
          "With --fleet: that node belongs to it, and its token is made and written there, unless"
              + " the file is there; give the file to 'regen agent --manager' on that host.")
  private Map<String, Path> nodes = new LinkedHashMap<>();

  @Option(
      names = "--insecure-http",
      description =
          "With --fleet: other hosts may reach it without TLS, though tokens go to it in the"
              + " plain.")
  private boolean insecure;

  @Option(
      names = "--htpasswd",
      paramLabel = "FILE",
      description = "Who may log in, made with 'htpasswd -B'.")
  private @Nullable Path htpasswd;

  @Option(
      names = "--rules",
      paramLabel = "FILE",
      description =
          "Who may do what, immutable tags, quotas, what goes by itself, read-only mode; JSON, read"
              + " again when it changes.")
  private @Nullable Path rules;

  @Option(
      names = "--token-key",
      paramLabel = "FILE",
      description = "32 bytes or more that the managers of one store share.")
  private @Nullable Path tokenKey;

  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "How clients reach it, where a proxy stands before it.")
  private @Nullable URI url;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private ListeningOptions listening;

  @Option(
      names = "--collect-every",
      paramLabel = "HOURS",
      defaultValue = "24",
      description =
          "How often what nobody needs is deleted (default: every ${DEFAULT-VALUE} hours); 0: never.")
  private int collectEvery;

  @Override
  public Integer call() throws IOException, InterruptedException {
    String where = store;
    String database = fleet;
    ListeningOptions.requireThere(htpasswd, rules, tokenKey);
    ManagerOptions options;
    try {
      options =
          new ManagerOptions(
              listening.at(listen),
              where == null ? null : StoreUrl.parse(where),
              htpasswd,
              rules,
              tokenKey,
              url,
              collectEvery <= 0 ? null : Duration.ofHours(collectEvery),
              database == null ? null : FleetUrl.parse(database));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    requireSafe(options);
    Regen regen = (Regen) spec.root().userObject();
    JsonLog.install(ObserveConfiguration.of(regen.environment()));
    makeTokens(options.fleet());
    ManagerServer.run(options, line -> spec.commandLine().getOut().println(line));
    return AgentCommand.DONE;
  }

  /** As the agent does of its own port. */
  private void requireSafe(ManagerOptions options) {
    boolean reached = !options.listening().address().getAddress().isLoopbackAddress();
    if (options.fleet() != null
        && reached
        && options.listening().certificate() == null
        && !insecure) {
      throw new ParameterException(
          spec.commandLine(),
          "tokens would go over the network for everybody to read: name a certificate (--tls-cert,"
              + " --tls-key), listen on 127.0.0.1, or say --insecure-http");
    }
  }

  private void makeTokens(@Nullable FleetUrl fleet) throws IOException, InterruptedException {
    if (adminToken == null && nodes.isEmpty()) {
      return;
    }
    if (fleet == null) {
      throw new ParameterException(
          spec.commandLine(), "--admin-token and --join are of a fleet: say --fleet DATABASE");
    }
    try (FirstTokens tokens = new FirstTokens(fleet, InstantSource.system())) {
      if (adminToken != null) {
        tokens.admin(adminToken);
      }
      for (Map.Entry<String, Path> node : nodes.entrySet()) {
        tokens.node(node.getKey(), node.getValue());
      }
    }
  }
}
