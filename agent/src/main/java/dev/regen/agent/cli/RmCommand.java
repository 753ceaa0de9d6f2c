package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description = {
      "Removes a snapshot, or with --queue a whole queue, and the data that only it holds.",
      "With --store, from there, and not from this host. What somebody who pushes or pulls at that"
          + " moment may count on is left for 'regen storage collect'."
    })
final class RmCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE[@S]", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(
      names = "--queue",
      description = "Remove the queue with all its snapshots. The next run begins a new one.")
  private boolean wholeQueue;

  @Option(names = "--store", paramLabel = "URL", description = "Remove it from this store.")
  private @Nullable String store;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    if (store != null) {
      return inStore(agent, store);
    }
    if (wholeQueue) {
      address.requireNoSnapshot(spec);
      agent.send("DELETE", address.queuePath(), null);
      return DONE;
    }
    address.requireSnapshot(spec);
    agent.send("DELETE", address.snapshotPath(), null);
    return DONE;
  }

  private int inStore(AgentClient agent, String url) throws IOException, InterruptedException {
    if (wholeQueue) {
      address.requireNoSnapshot(spec);
    } else {
      address.requireSnapshot(spec);
    }
    JsonObject body =
        new JsonObject()
            .with("store", url)
            .with("snapshot", address.snapshot())
            .with("attended", true);
    String path = "/v1/store/queues/" + AgentClient.part(address.queue().value()) + "/remove";
    JsonObject result = followOrCancel(agent, agent.send("POST", path, body));
    out().println(result.string("message"));
    return DONE;
  }
}
