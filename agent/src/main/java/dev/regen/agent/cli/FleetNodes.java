package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Who belongs to a fleet. */
final class FleetNodes {
  private FleetNodes() {}

  @Command(name = "nodes", description = "Lists the nodes, and which of them are connected.")
  static final class Ls extends FleetSubcommand {
    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(
          fleet.list("/v1/nodes", "nodes", Integer.MAX_VALUE),
          List.of("NODE", "STATE", "SINCE", "QUEUES", "WAITING", "RUNNING"),
          row ->
              List.of(
                  row.string("name"),
                  row.string("state"),
                  time(row, row.has("connectedAt") ? "connectedAt" : "seenAt"),
                  String.valueOf(row.number("queues")),
                  String.valueOf(row.number("jobsWaiting")),
                  String.valueOf(row.number("jobsRunning"))));
    }
  }

  @Command(
      name = "add-node",
      description = {
        "Adds a node and prints its token, this once. On the node: put it into a file of root's,"
            + " then 'regen agent --manager URL?token-file=FILE --node NAME'."
      })
  static final class Add extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "NAME", description = "What the node calls itself.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Option(
        names = "--certificate",
        description = "It shows a certificate of this name (--tls-clients), and needs no token.")
    private boolean certificate;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject added =
          fleet.send(
              "POST",
              "/v1/nodes",
              new JsonObject().with("name", name).with("certificate", certificate));
      print(added, or(added.stringOrNull("token"), "node " + name + " is added"));
    }
  }

  @Command(
      name = "renew-node",
      description = "Makes a node another token and prints it; the one before is worth nothing.")
  static final class Renew extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "NAME")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject renewed = fleet.send("POST", node(name) + "/token", new JsonObject());
      print(renewed, renewed.string("token"));
    }
  }

  @Command(
      name = "rm-node",
      description = {
        "Takes a node out of the fleet: its token is worth nothing, its open jobs have failed. What"
            + " is on the node stays."
      })
  static final class Rm extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "NAME")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(fleet.send("DELETE", node(name), null), "node " + name + " is removed");
    }
  }
}
