package dev.regen.agent.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "unpin",
    description = "Takes a pin off again: the snapshot leaves when its turn comes.")
final class UnpinCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE@S", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Override
  int run(AgentClient agent) {
    address.requireSnapshot(spec);
    agent.send("POST", address.snapshotPath() + "/unpin", null);
    return DONE;
  }
}
