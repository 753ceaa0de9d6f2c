package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Who may ask what of a fleet, and who did. */
final class FleetTokenCommands {
  private FleetTokenCommands() {}

  @Command(name = "tokens", description = "Lists who has a token; never a token.")
  static final class Ls extends FleetSubcommand {
    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(
          fleet.list("/v1/tokens", "tokens", Integer.MAX_VALUE),
          List.of("NAME", "ROLE", "MADE", "BY"),
          row ->
              List.of(
                  row.string("name"),
                  row.string("role"),
                  time(row, "madeAt"),
                  row.string("madeBy")));
    }
  }

  @Command(name = "add-token", description = "Makes a token and prints it, this once.")
  static final class Add extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "NAME", description = "Whose it is.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Option(
        names = "--role",
        required = true,
        paramLabel = "ROLE",
        description =
            "view: sees everything but tokens; operate: also asks nodes for operations; admin:"
                + " also adds nodes and tokens.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String role;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject made =
          fleet.send("POST", "/v1/tokens", new JsonObject().with("name", name).with("role", role));
      print(made, made.string("token"));
    }
  }

  @Command(name = "rm-token", description = "Removes a token: from now on it is nobody's.")
  static final class Rm extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "NAME")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(fleet.send("DELETE", "/v1/tokens/" + AgentClient.part(name), null), "removed");
    }
  }

  @Command(name = "audit", description = "Lists who did what in the fleet, oldest first.")
  static final class Audit extends FleetSubcommand {
    @Option(
        names = {"-n", "--limit"},
        paramLabel = "N",
        description = "At most the N newest; default ${DEFAULT-VALUE}.")
    private int limit = 100;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(
          fleet.list("/v1/audit", "audit", limit).reversed(),
          List.of("TIME", "WHO", "DID", "TO", "OUTCOME"),
          row ->
              List.of(
                  time(row, "at"),
                  row.string("who"),
                  row.string("operation"),
                  row.string("target"),
                  row.string("outcome")));
    }
  }
}
