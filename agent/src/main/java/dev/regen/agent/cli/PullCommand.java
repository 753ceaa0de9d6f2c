package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "pull",
    description = {
      "Fetches a snapshot from a store as its queue's newest: the next run starts from it; and into"
          + " the engine the image that it lies on, if that is missing; or an image alone.",
      "What lies here already is not fetched. A name that is another image's here stays with that.",
      "Interrupted and run again within a day it fetches the rest. It is in the queue whole, or not"
          + " at all."
    })
final class PullCommand extends AgentCommand {
  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Travelling what;

  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private FollowOptions follow;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    what.requireQueue(follow.isAsked(), "--follow: an image is pulled when all of it is there");
    JsonObject body = follow.addTo(new JsonObject().with("store", store));
    return StoreOption.run(this, agent, what, "pull", body, json);
  }
}
