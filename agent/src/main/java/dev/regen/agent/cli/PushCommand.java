package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "push",
    description = {
      "Sends a snapshot to a store, where other hosts can pull it.",
      "What the store lacks of it goes, as it is stored here, encrypted chunks too.",
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

  @Option(
      names = "--also",
      paramLabel = "URL",
      description =
          "A second store, fed at the same time. Where one of them fails the other gets all, and"
              + " this ends with 1 and says what to do.")
  private @Nullable String also;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject body = new JsonObject().with("store", store).with("also", also);
    return StoreOption.run(this, agent, address, "push", body, json);
  }
}
