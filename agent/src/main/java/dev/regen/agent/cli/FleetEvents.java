package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "events",
    description = {
      "Follows what happens in the fleet, until Ctrl-C: nodes that come and go, jobs, queues,"
          + " settings, alarms. With --json an object a line."
    })
final class FleetEvents extends FleetSubcommand {
  private static final long PAUSE_MILLIS = 1_000;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "End after so many.")
  private long limit = Long.MAX_VALUE;

  private long seen;

  @Override
  void run(FleetClient fleet) throws IOException, InterruptedException {
    @Nullable String place = null;
    while (seen < limit) {
      place = fleet.follow(place, this::show);
      if (place != null) {
        Thread.sleep(PAUSE_MILLIS); // The manager was ended; another goes on where this was.
      }
    }
  }

  private boolean show(String kind, JsonObject data) throws IOException {
    if (kind.equals("reset")) {
      return true;
    }
    out()
        .println(
            json
                ? new JsonObject().with("kind", kind).with("data", data)
                : (kind + " " + words(kind, data)).replaceAll("\\p{Cntrl}", "?"));
    out().flush();
    return ++seen < limit;
  }

  private static String words(String kind, JsonObject data) throws IOException {
    String node = or(data.stringOrNull("node"), "");
    return switch (kind) {
      case "job" ->
          node
              + " "
              + data.string("id")
              + " "
              + data.string("kind")
              + " of "
              + data.string("subject")
              + ": "
              + data.string("state")
              + (data.has("message") ? ": " + data.string("message") : "");
      case "node" -> data.string("name") + ": " + data.string("state");
      case "queue" -> node + " " + data.string("name") + ": " + data.numberOr("snapshots", 0);
      case "setting" ->
          node
              + " "
              + data.string("queue")
              + " "
              + data.string("name")
              + " = "
              + data.members().get("value")
              + " by "
              + data.string("changedBy");
      case "alarm" -> node + " " + or(data.stringOrNull("message"), data.string("kind"));
      case "move" ->
          data.string("queue")
              + " from "
              + data.string("from")
              + " to "
              + data.string("to")
              + ": "
              + data.string("state")
              + ", "
              + data.string("step")
              + (data.has("message") ? ": " + data.string("message") : "");
      default -> node + " " + or(data.stringOrNull("name"), "");
    };
  }
}
