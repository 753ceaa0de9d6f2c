package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "fleet",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Asks the manager of a fleet ('regen manager --fleet'), whose nodes are agents with"
          + " --manager: what they have, what they do, and what they are to do. It needs no agent.",
      "--manager URL and --token-file FILE stand behind the command; or REGEN_MANAGER and"
          + " REGEN_TOKEN say the same."
    },
    subcommands = {
      FleetNodes.Ls.class,
      FleetNodes.Add.class,
      FleetNodes.Renew.class,
      FleetNodes.Rm.class,
      FleetLs.class,
      FleetRun.class,
      FleetJobs.Ls.class,
      FleetJobs.Cancel.class,
      FleetMoves.Ls.class,
      FleetMoves.Cancel.class,
      FleetAlarms.Ls.class,
      FleetAlarms.Ack.class,
      FleetSettings.Ls.class,
      FleetSettings.Set.class,
      FleetEvents.class,
      FleetTokenCommands.Ls.class,
      FleetTokenCommands.Add.class,
      FleetTokenCommands.Rm.class,
      FleetTokenCommands.Audit.class
    })
final class FleetCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Failure.Code.USAGE.exitCode();
  }
}
