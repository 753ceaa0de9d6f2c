package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Settings of queues, which node and manager both keep, and those of the fleet itself. */
final class FleetSettings {
  private FleetSettings() {}

  @Command(
      name = "settings",
      description = {
        "Lists the settings of a queue of a node, and what lost against each; without NODE those of"
            + " the fleet."
      })
  static final class Ls extends FleetSubcommand {
    @Parameters(index = "0", arity = "0..1", paramLabel = "NODE")
    private @Nullable String node;

    @Parameters(index = "1", arity = "0..1", paramLabel = "QUEUE")
    private @Nullable String queue;

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      String of = node;
      if (of != null && queue == null) {
        throw new picocli.CommandLine.ParameterException(
            spec.commandLine(), "say NODE and QUEUE, or neither");
      }
      if (of == null || queue == null) {
        JsonObject settings = fleet.get("/v1/settings");
        List<JsonObject> rows = new ArrayList<>();
        for (Map.Entry<String, @Nullable Object> one : settings.members().entrySet()) {
          rows.add(new JsonObject().with("name", one.getKey()).with("value", one.getValue()));
        }
        print(rows, List.of("SETTING", "VALUE"), row -> List.of(row.string("name"), value(row)));
        return;
      }
      print(
          fleet.get(queue(of, queue) + "/settings").objects("settings"),
          List.of("SETTING", "VALUE", "CHANGED", "BY", "LOST"),
          row -> {
            JsonObject lost = row.objectOrNull("loser");
            return List.of(
                row.string("name"),
                value(row),
                time(row, "changedAt"),
                row.string("changedBy"),
                lost == null
                    ? "-"
                    : value(lost)
                        + " ("
                        + lost.string("changedBy")
                        + ", "
                        + time(lost, "changedAt")
                        + ")");
          });
    }

    private static String value(JsonObject row) {
      return String.valueOf(row.members().get("value"));
    }
  }

  @Command(
      name = "set",
      description = {
        "Changes settings of a queue, on the node too; of two changes the later one wins: keep=N,"
            + " pin:SNAPSHOT=true, label:NAME=TEXT, policy:NAME=TEXT. With NAME=VALUE alone those"
            + " of the fleet: startDeadlineSeconds, awayDeadlineSeconds."
      })
  static final class Set extends FleetSubcommand {
    @Parameters(arity = "1..*", paramLabel = "[NODE QUEUE] NAME=VALUE...")
    private List<String> words = List.of();

    @Override
    void run(FleetClient fleet) throws IOException, InterruptedException {
      boolean ofFleet = words.getFirst().indexOf('=') > 0;
      List<String> settings = words.subList(ofFleet ? 0 : Math.min(2, words.size()), words.size());
      if (settings.isEmpty() || settings.stream().anyMatch(each -> each.indexOf('=') < 1)) {
        throw new picocli.CommandLine.ParameterException(
            spec.commandLine(), "say [NODE QUEUE] NAME=VALUE...");
      }
      if (ofFleet) {
        JsonObject all = new JsonObject();
        settings.forEach(each -> all.with(name(each), value(each)));
        print(fleet.send("PUT", "/v1/settings", all), "set");
        return;
      }
      String node = words.get(0);
      String path = queue(node, words.get(1)) + "/settings";
      boolean connected = fleet.get(node(node)).string("state").equals("connected");
      for (String each : settings) {
        JsonObject body = new JsonObject().with("name", name(each)).with("value", value(each));
        print(
            fleet.send("PUT", path, body),
            name(each)
                + (connected
                    ? " is set; the node is told"
                    : " is set; the node is told when it is back"));
      }
    }

    private static String name(String setting) {
      return setting.substring(0, setting.indexOf('='));
    }

    private static Object value(String setting) {
      return typed(name(setting), setting.substring(setting.indexOf('=') + 1));
    }

    private static Object typed(String name, String value) {
      if (name.startsWith("pin:")) {
        return value.equals("true") ? (Object) true : value.equals("false") ? false : value;
      }
      boolean text = name.startsWith("label:") || name.startsWith("policy:");
      return !text && value.matches("-?[0-9]{1,18}") ? (Object) Long.valueOf(value) : value;
    }
  }
}
