package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "capture",
    description =
        "Captures a running container now; it is paused while its layer is read. Volumes and memory"
            + " are not part of it.")
final class CaptureCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "CONTAINER")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String container;

  @Option(names = "--wait", description = "Return when the snapshot is in the queue.")
  private boolean wait;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject job =
        agent.send("POST", "/v1/containers/" + AgentClient.part(container) + "/capture", null);
    if (wait) {
      out().println(follow(agent, job).string("message"));
    } else {
      out().println("capturing; 'regen jobs' tells how far it is (job " + job.string("id") + ")");
    }
    return DONE;
  }
}
