package dev.regen.agent.cli;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.db.FleetUrl;
import java.io.IOException;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "token",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Makes a token of a fleet in its database, and prints it this once: the first one, with which"
          + " 'regen fleet add-token' makes others. The manager may run."
    })
final class ManagerTokenCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(names = "--fleet", paramLabel = "DATABASE", description = "As for the manager.")
  private @Nullable String fleet;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      defaultValue = "admin",
      description = "view, operate or admin (default: ${DEFAULT-VALUE}).")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String role;

  @Parameters(index = "0", paramLabel = "NAME", description = "Whose it is, for the audit log.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String name;

  @Override
  public Integer call() throws IOException, InterruptedException {
    String database = fleet;
    if (database == null) {
      throw new ParameterException(spec.commandLine(), "say where: --fleet DATABASE");
    }
    FleetUrl url;
    Role granted;
    try {
      url = FleetUrl.parse(database);
      granted = Role.of(role);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    spec.commandLine().getOut().println(Fleet.token(url, InstantSource.system(), name, granted));
    return AgentCommand.DONE;
  }
}
