package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "stay",
    description = {
      "Lets a queue run here again that was moved to another node, and starts its container if it"
          + " ran when it left. Only if it runs nowhere else: nobody looks whether it does.",
      "'regen move' does this by itself where a move fails, and when a queue is moved back."
    })
final class StayCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String queue;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject job =
        agent.send("POST", "/v1/queues/" + AgentClient.part(queue) + "/stay", new JsonObject());
    out().println(followOrLeave(agent, job, "that").string("message"));
    return DONE;
  }
}
