package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "pull",
    description = {
      "Fetches a snapshot from a store as its queue's newest: the next run starts from it.",
      "What lies here already is not fetched.",
      "Interrupted and run again within a day it fetches the rest. It is in the queue whole, or not"
          + " at all."
    })
final class PullCommand extends AgentCommand {
  @Parameters(
      index = "0",
      paramLabel = "QUEUE[@S]",
      converter = QueueAddress.Converter.class,
      description = "S as in the store; default: the latest there.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private FollowOptions follow;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject body = follow.addTo(new JsonObject().with("store", store));
    return StoreOption.run(this, agent, address, "pull", body, json);
  }
}
