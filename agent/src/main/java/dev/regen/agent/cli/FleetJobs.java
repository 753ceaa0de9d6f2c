package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What nodes do, asked for at the manager or begun there. */
final class FleetJobs {
  private FleetJobs() {}

  @Command(name = "jobs", description = "Lists jobs of the fleet, oldest first.")
  static final class Ls extends FleetSubcommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
    private @Nullable String node;

    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "waiting, running, success or failed.")
    private @Nullable String state;

    @Option(
        names = {"-n", "--limit"},
        paramLabel = "N",
        description = "At most the N newest; default ${DEFAULT-VALUE}.")
    private int limit = 100;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      String path =
          "/v1/jobs?"
              + (node == null ? "" : "node=" + AgentClient.part(node) + "&")
              + (state == null ? "" : "state=" + AgentClient.part(state) + "&");
      print(
          fleet.list(path.substring(0, path.length() - 1), "jobs", limit).reversed(),
          List.of("JOB", "NODE", "ASKED", "BY", "KIND", "OF", "STATE"),
          row -> {
            String why = row.stringOrNull("message");
            return List.of(
                row.string("id"),
                row.string("node"),
                time(row, "askedAt"),
                row.string("askedBy"),
                row.string("kind"),
                row.string("subject"),
                row.string("state") + (why == null ? "" : ": " + why));
          });
    }
  }

  @Command(
      name = "cancel",
      description = "Withdraws a job that its node has not been sent, or asks the node to end it.")
  static final class Cancel extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "JOB")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String job;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject asked = fleet.send("DELETE", "/v1/jobs/" + AgentClient.part(job), null);
      print(
          asked,
          asked.string("state").equals("failed")
              ? "cancelled"
              : "its node is asked to end it; 'regen fleet jobs' tells when it has");
    }
  }
}
