package dev.regen.agent.cli;

import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "encrypt",
    description = {
      "Encrypts a snapshot, or all snapshots of a queue and every capture to come.",
      "The key is the one that 'regen key list' shows as active.",
      "What another key encrypted is encrypted anew, so after 'regen key new' the same command"
          + " changes the key. Layer trees that wait in staging stay as the container needs them,"
          + " and 'export' and 'mount' give plain text."
    })
final class EncryptCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE[@S]", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(
      names = "--new",
      description =
          "Only captures to come; the snapshots there are stay as they are. Makes the queue if there"
              + " is none yet.")
  private boolean onlyNew;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    Encryption change = new Encryption(address, true, onlyNew);
    out().println(change.told(followOrLeave(agent, change.send(agent, spec), "the encryption")));
    return DONE;
  }
}
