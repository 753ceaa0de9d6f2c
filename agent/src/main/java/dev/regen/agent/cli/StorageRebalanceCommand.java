package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "rebalance",
    description = {
      "Brings what lies in a store of several servers to where it belongs.",
      "A server that was added gets its share; what a lost one held is made again from the other"
          + " copies; one with ;weight=0 is emptied, and can then be left out of the URL.",
      "Pushes and pulls go on meanwhile. Interrupted and run again it goes on with the rest. Where"
          + " something could not be done it ends with 1."
    })
final class StorageRebalanceCommand extends AgentCommand {
  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Option(
      names = "--all",
      description = "Read every copy, and heal those that are damaged from another.")
  private boolean all;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject body = new JsonObject().with("store", store).with("all", all).with("attended", true);
    JsonObject job = agent.send("POST", "/v1/store/rebalance", body);
    JsonObject result = followOrCancel(agent, job, json);
    StoreOption.tellTroubles(this, result);
    out()
        .println(
            json
                ? result
                : result.string("message") + " (" + Sizes.of(result.number("bytes")) + ")");
    return result.number("failed") == 0 ? DONE : Failure.Code.FAILED.exitCode();
  }
}
