package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What somebody has to look at. */
final class FleetAlarms {
  private FleetAlarms() {}

  @Command(
      name = "alarms",
      description = {
        "Lists what nobody has acknowledged, newest first: what was removed on a node, a node that"
            + " says another's name, a job that ran after it was withdrawn."
      })
  static final class Ls extends FleetSubcommand {
    @Option(names = "--all", description = "Those that were acknowledged too.")
    private boolean all;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(
          fleet.list("/v1/alarms" + (all ? "?all=true" : ""), "alarms", Integer.MAX_VALUE),
          List.of("ALARM", "RAISED", "NODE", "KIND", "WHAT"),
          row ->
              List.of(
                  row.string("id"),
                  time(row, "raisedAt"),
                  row.string("node"),
                  row.string("kind"),
                  or(row.stringOrNull("message"), "-")
                      + (row.number("count") > 1 ? " (" + row.number("count") + " times)" : "")
                      + (row.has("acknowledgedBy")
                          ? "; seen by " + row.string("acknowledgedBy")
                          : "")));
    }
  }

  @Command(name = "ack", description = "Acknowledges an alarm: it is not listed any more.")
  static final class Ack extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "ALARM")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String alarm;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject seen =
          fleet.send(
              "POST", "/v1/alarms/" + AgentClient.part(alarm) + "/acknowledge", new JsonObject());
      print(seen, "acknowledged");
    }
  }
}
