package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "collect",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Removes by the rules what may go from a registry, and the chunks that nobody needs then. Takes"
          + " 15 minutes at least; managers may serve the store meanwhile, each of which does the"
          + " same by itself once a day.",
      "A manager that serves a directory has it for itself: there it is the only one to collect."
    })
final class ManagerCollectCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(names = "--store", paramLabel = "URL", description = "The store. Has to be said.")
  private @Nullable String store;

  @Option(names = "--rules", paramLabel = "FILE", description = "As for the manager.")
  private @Nullable Path rules;

  @Override
  public Integer call() throws IOException {
    String where = store;
    if (where == null) {
      throw new ParameterException(spec.commandLine(), "say where: --store URL");
    }
    if (rules != null && !Files.exists(rules)) {
      throw new CommandFailure(Failure.Code.NOT_FOUND, rules + " is not there");
    }
    StoreUrl url;
    try {
      url = StoreUrl.parse(where);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    ManagerServer.collect(url, rules, line -> spec.commandLine().getOut().println(line));
    return AgentCommand.DONE;
  }
}
