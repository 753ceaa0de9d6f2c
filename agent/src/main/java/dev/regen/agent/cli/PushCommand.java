package dev.regen.agent.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "push",
    description = {
      "Sends a snapshot to a store, where other hosts can pull it: what the store lacks of it, as it"
          + " is stored here, encrypted chunks too.",
      "Interrupted and run again it sends the rest. It is complete in the store, or not to be had"
          + " there."
    })
final class PushCommand extends AgentCommand {
  @Parameters(
      index = "0",
      paramLabel = "QUEUE[@S]",
      converter = QueueAddress.Converter.class,
      description = "Default: the latest.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Option(names = "--json", description = "Say what was done as a JSON object.")
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    return StoreOption.run(this, agent, address, "push", store, json);
  }
}
