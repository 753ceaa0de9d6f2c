package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "capture",
    description = {
      "Captures a container now; a running one is paused while its layer is read.",
      "Volumes and memory are not part of it."
    })
final class CaptureCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "CONTAINER")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String container;

  @Option(
      names = "--wait",
      description = "Return when the snapshot is in the queue; after Ctrl-C the capture goes on.")
  private boolean wait;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    JsonObject job = agent.send("POST", AgentClient.container(container) + "/capture", null);
    if (wait) {
      out().println(followOrLeave(agent, job, "the capture").string("message"));
    } else {
      out().println("capturing; 'regen jobs' tells how far it is (job " + job.string("id") + ")");
    }
    return DONE;
  }
}
