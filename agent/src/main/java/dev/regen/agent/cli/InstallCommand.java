package dev.regen.agent.cli;

import dev.regen.agent.host.Install;
import dev.regen.agent.host.Installation;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.LocalDisk;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "install",
    mixinStandardHelpOptions = true,
    description = {
      "Puts Regen on this host, or brings it up to date: the program, the runtime's entry in the"
          + " engine's daemon.json, and the agent's service.",
      "Containers go on running; the engine reads its configuration again and is not restarted."
    })
final class InstallCommand implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Installation places = Installation.of(regen.environment());
    try (Engine engine = Engine.of(regen.environment())) {
      new Install(places, new LocalDisk(), engine, spec.commandLine().getOut()::println).run();
    }
    return 0;
  }
}
