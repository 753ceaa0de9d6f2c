package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "ls",
    description = {
      "Lists the queues of all nodes or of one, or a queue's snapshots, oldest first, as the node"
          + " last told."
    })
final class FleetLs extends FleetSubcommand {
  @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
  private @Nullable String node;

  @Parameters(index = "1", arity = "0..1", paramLabel = "QUEUE")
  private @Nullable String queue;

  @Option(names = "--containers", description = "The containers of NODE.")
  private boolean containers;

  @Override
  void run(FleetClient fleet) throws IOException, InterruptedException {
    String of = node;
    if (of != null && containers) {
      print(
          fleet.get(node(of) + "/containers").objects("containers"),
          List.of("CONTAINER", "QUEUE", "RUNNING"),
          row ->
              List.of(
                  or(row.stringOrNull("name"), "-"),
                  or(row.stringOrNull("queue"), "-"),
                  row.flag("running") ? "yes" : "no"));
      return;
    }
    if (of != null && queue != null) {
      snapshots(fleet.get(node(of) + "/queues/" + AgentClient.part(queue)));
      return;
    }
    List<String> nodes = new ArrayList<>();
    if (of == null) {
      for (JsonObject one : fleet.list("/v1/nodes", "nodes", Integer.MAX_VALUE)) {
        nodes.add(one.string("name"));
      }
    } else {
      nodes.add(of);
    }
    List<JsonObject> rows = new ArrayList<>();
    for (String name : nodes) {
      for (JsonObject row : fleet.list(node(name) + "/queues", "queues", Integer.MAX_VALUE)) {
        JsonObject shown = new JsonObject().with("node", name);
        row.members().forEach(shown::with);
        rows.add(shown);
      }
    }
    print(
        rows,
        List.of("NODE", "QUEUE", "SNAPSHOTS", "SIZE", "LATEST", "STATE"),
        row ->
            List.of(
                row.string("node"),
                row.string("name"),
                row.numberOr("snapshots", 0) + "/" + row.numberOr("keep", 0),
                Sizes.of(row.numberOr("sizeBytes", 0)),
                time(row, "latest"),
                or(row.stringOrNull("state"), "-")));
  }

  private void snapshots(JsonObject shown) throws IOException {
    print(
        shown.objects("snapshots"),
        List.of("ID", "TIME", "SIZE", "WHY", "PINNED", "STATE"),
        row -> {
          String id = row.string("id");
          return List.of(
              id.matches("[0-9a-f]{32}") ? id.substring(0, 12) : id,
              time(row, "time"),
              row.has("sizeBytes") ? Sizes.of(row.number("sizeBytes")) : "-",
              or(row.stringOrNull("reason"), "-"),
              row.flag("pinned") ? "pinned" : "-",
              or(row.stringOrNull("state"), "-"));
        });
  }
}
