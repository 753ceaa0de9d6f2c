package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code regen fleet moves} and {@code cancel-move}. */
final class FleetMoves {
  private static final int MOST = 1_000;

  private FleetMoves() {}

  @Command(name = "moves", description = "Containers that move or moved between nodes.")
  static final class Ls extends FleetSubcommand {
    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      print(
          fleet.list("/v1/moves", "moves", MOST),
          List.of("MOVE", "QUEUE", "FROM", "TO", "STATE", "STEP", "ASKED", "BY", "MESSAGE"),
          row ->
              List.of(
                  row.string("id"),
                  row.string("queue"),
                  row.string("from"),
                  row.string("to"),
                  row.string("state"),
                  row.string("step"),
                  time(row, "askedAt"),
                  row.string("askedBy"),
                  message(row)));
    }
  }

  private static String message(JsonObject move) throws IOException {
    String by = move.stringOrNull("cancelAskedBy");
    String message = move.stringOrNull("message");
    if (message == null) {
      message = move.stringOrNull("failure");
    }
    if (by == null || move.has("endedAt")) {
      return FleetSubcommand.or(message, "-");
    }
    return "cancelled by " + by + (message == null ? "" : "; " + message);
  }

  @Command(
      name = "cancel-move",
      description = "Takes a move back that is under way; the container runs where it was.")
  static final class Cancel extends FleetSubcommand {
    @Parameters(index = "0", paramLabel = "MOVE")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String move;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      JsonObject now = fleet.send("DELETE", "/v1/moves/" + AgentClient.part(move), null);
      print(now, "asked; 'regen fleet moves' tells what becomes of it");
    }
  }
}
