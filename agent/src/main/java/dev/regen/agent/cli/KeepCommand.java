package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.queue.QueueContent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "keep",
    description =
        "Sets a queue's length, pinned snapshots not counted. What no longer fits leaves at once,"
            + " oldest first.")
final class KeepCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Parameters(index = "1", paramLabel = "N", description = "1 to 1000 snapshots.")
  private int length;

  @Override
  int run(AgentClient agent) {
    address.requireNoSnapshot(spec);
    if (length < 1 || length > QueueContent.KEEP_MAX) {
      throw new CommandFailure(
          Failure.Code.USAGE,
          "a queue's length is 1 to " + QueueContent.KEEP_MAX + ", not " + length);
    }
    agent.send("PUT", address.queuePath() + "/keep", new JsonObject().with("keep", length));
    return DONE;
  }
}
