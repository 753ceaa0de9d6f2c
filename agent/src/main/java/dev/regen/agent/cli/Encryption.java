package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * What {@code encrypt} and {@code decrypt} ask for.
 *
 * @param onlyNew whether only captures to come are meant
 */
record Encryption(QueueAddress address, boolean encrypted, boolean onlyNew) {
  /** Asks the agent; returns the job. */
  JsonObject send(AgentClient agent, CommandSpec command) {
    JsonObject body = new JsonObject().with("encrypted", encrypted);
    if (address.snapshot() != null) {
      if (onlyNew) {
        throw new ParameterException(
            command.commandLine(), "--new is said of a queue, not of one snapshot");
      }
      return agent.send("POST", address.snapshotPath() + "/encryption", body);
    }
    return agent.send("POST", address.queuePath() + "/encryption", body.with("existing", !onlyNew));
  }

  /** What was done, for a person. */
  String told(JsonObject result) throws IOException {
    String how = encrypted ? "encrypted under key " + result.string("key") : "not encrypted";
    if (onlyNew) {
      return "every capture of queue " + address + " to come is " + how;
    }
    long changed = result.number("changed");
    if (address.snapshot() != null) {
      return "snapshot " + address + (changed == 0 ? " was already " : " is now ") + how;
    }
    return "every snapshot of queue "
        + address
        + ", and every capture to come, is "
        + how
        + " ("
        + changed
        + " changed)";
  }
}
