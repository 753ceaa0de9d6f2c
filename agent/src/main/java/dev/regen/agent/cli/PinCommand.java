package dev.regen.agent.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "pin",
    description =
        "Pins a snapshot: it no longer counts towards the length and is never pushed out.")
final class PinCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE@S", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Override
  int run(AgentClient agent) {
    address.requireSnapshot(spec);
    agent.send("POST", address.snapshotPath() + "/pin", null);
    return DONE;
  }
}
