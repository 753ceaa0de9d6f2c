package dev.regen.agent.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description =
        "Removes a snapshot, or with --queue a whole queue, and the data that only it holds.")
final class RmCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE[@S]", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(
      names = "--queue",
      description = "Remove the queue with all its snapshots. The next run begins a new one.")
  private boolean wholeQueue;

  @Override
  int run(AgentClient agent) {
    if (wholeQueue) {
      address.requireNoSnapshot(spec);
      agent.send("DELETE", address.queuePath(), null);
      return DONE;
    }
    address.requireSnapshot(spec);
    agent.send("DELETE", address.snapshotPath(), null);
    return DONE;
  }
}
