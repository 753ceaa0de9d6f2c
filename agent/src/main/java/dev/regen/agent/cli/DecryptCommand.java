package dev.regen.agent.cli;

import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "decrypt",
    description =
        "Decrypts a snapshot, or all snapshots of a queue, whose captures to come are not encrypted"
            + " any more either.")
final class DecryptCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE[@S]", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(
      names = "--new",
      description = "Only captures to come; the snapshots there are stay as they are.")
  private boolean onlyNew;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    Encryption change = new Encryption(address, false, onlyNew);
    out().println(change.told(followOrLeave(agent, change.send(agent, spec), "the decryption")));
    return DONE;
  }
}
