package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "collect",
    description = {
      "Deletes from a store what no snapshot and no image there needs.",
      "It looks twice, a quarter of an hour apart, and takes nothing that a push or pull under way"
          + " counts on. What was sent by a push that was given up goes a day later."
    })
final class StorageCollectCommand extends AgentCommand {
  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      description = "How long it waits between its two looks (default: 900).")
  private @Nullable Long graceSeconds;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject body =
        new JsonObject()
            .with("store", store)
            .with("graceSeconds", graceSeconds)
            .with("attended", true);
    JsonObject job = agent.send("POST", "/v1/store/collect", body);
    JsonObject result = followOrCancel(agent, job, json);
    StoreOption.tellTroubles(this, result);
    out().println(json ? result : result.string("message"));
    return DONE;
  }
}
