package dev.regen.agent.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "rm", description = "Removes a snapshot and the data that only it holds.")
final class RmCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE@S", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Override
  int run(AgentClient agent) {
    address.requireSnapshot(spec);
    agent.send("DELETE", address.snapshotPath(), null);
    return DONE;
  }
}
