package dev.regen.agent.cli;

import dev.regen.agent.host.Installation;
import dev.regen.agent.host.Uninstall;
import dev.regen.runtime.durable.LocalDisk;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "uninstall",
    mixinStandardHelpOptions = true,
    description = {
      "Takes back what 'regen install' did: the runtime's entry in daemon.json, the service, the"
          + " program. Ends the agent.",
      "Queues and snapshots stay, unless --purge is given."
    })
final class UninstallCommand implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(
      names = "--force",
      description = "Although containers with this runtime are there; they cannot start then.")
  private boolean force;

  @Option(names = "--purge", description = "Delete all queues and snapshots as well.")
  private boolean purge;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Installation places = Installation.of(regen.environment());
    new Uninstall(places, new LocalDisk(), spec.commandLine().getOut()::println).run(force, purge);
    return 0;
  }
}
