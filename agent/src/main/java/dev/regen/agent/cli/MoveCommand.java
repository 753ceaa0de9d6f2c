package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "move",
    description = {
      "Moves a container with its queue to another node of a fleet, and follows that to its end."
          + " Its state is sent while it runs; then it is stopped where it is and kept from"
          + " starting there, the rest is sent, and it starts at the other node. It never runs at"
          + " two nodes. If anything fails it is taken back, and runs where it was.",
      "The nodes' agents have the same 'store'. After Ctrl-C the move goes on; 'regen fleet moves'"
          + " lists moves, 'regen fleet cancel-move' takes one back."
    })
final class MoveCommand extends FleetSubcommand {
  private static final int LOOK_MILLIS = 300;

  @Parameters(index = "0", paramLabel = "QUEUE")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String queue;

  @Option(names = "--to", paramLabel = "NODE", required = true, description = "Where it goes.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String to;

  @Option(
      names = "--from",
      paramLabel = "NODE",
      description = "Where it is; needed if several nodes have a queue of that name.")
  private @Nullable String from;

  @Option(
      names = "--leave-volumes",
      description =
          "Volumes and directories of the host that the container uses stay behind; it starts with"
              + " what the other host has at these places.")
  private boolean leaveVolumes;

  @Option(names = "--no-wait", description = "Print the move's id and leave it.")
  private boolean leave;

  @Override
  void run(FleetClient fleet) throws IOException, InterruptedException {
    JsonObject move =
        fleet.send(
            "POST",
            "/v1/moves",
            new JsonObject()
                .with("queue", queue)
                .with("to", to)
                .with("from", from)
                .with("leaveVolumes", leaveVolumes));
    if (leave) {
      print(move, move.string("id"));
      return;
    }
    String path = "/v1/moves/" + AgentClient.part(move.string("id"));
    String told = "";
    while (move.stringOrNull("endedAt") == null) {
      String now = step(move);
      if (!json && !now.equals(told)) {
        out().println(now);
        out().flush();
        told = now;
      }
      Thread.sleep(LOOK_MILLIS);
      move = fleet.patiently(path, this::tell);
    }
    if (move.string("state").equals("failed") && !json) {
      throw new CommandFailure(Failure.Code.FAILED, or(move.stringOrNull("message"), "failed"));
    }
    print(move, or(move.stringOrNull("message"), "done"));
  }

  private static String step(JsonObject move) throws IOException {
    String source = move.string("from");
    String target = move.string("to");
    String doing =
        switch (move.string("step")) {
          case "capture" -> "capturing it at " + source;
          case "copy" -> "sending its state to " + target + "; it still runs at " + source;
          case "leave" -> "stopping it at " + source + ", and sending the rest";
          case "enter" -> "starting it at " + target;
          case "abandon" -> "taking it back: making sure that it does not run at " + target;
          case "stay" -> "taking it back: it goes on at " + source;
          default -> move.string("step");
        };
    String message = move.stringOrNull("message");
    return message == null ? doing : doing + " (" + message + ")";
  }
}
