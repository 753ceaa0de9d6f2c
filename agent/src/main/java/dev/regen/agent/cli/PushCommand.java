package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "push",
    description = {
      "Sends a snapshot to a store, where other hosts can pull it, and the image that it lies on; or"
          + " an image alone.",
      "What the store lacks of it goes, as it is stored here, encrypted chunks too.",
      "Interrupted and run again it sends the rest. It is complete in the store, or not to be had"
          + " there."
    })
final class PushCommand extends AgentCommand {
  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Travelling what;

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
    what.requireQueue(also != null, "--also: push an image to one store after the other");
    JsonObject body = new JsonObject().with("store", store).with("also", also);
    return StoreOption.run(this, agent, what, "push", body, json);
  }
}
