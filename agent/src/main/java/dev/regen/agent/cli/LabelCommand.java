package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
    name = "label",
    description = {
      "Sets labels of a queue, or lists them: words that you keep with it, here and at the manager"
          + " of a fleet. NAME=TEXT is a label, policy:NAME=TEXT a policy; NAME= removes one."
    })
final class LabelCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME=TEXT")
  private List<String> labels = List.of();

  @Option(names = "--json", description = "As a JSON array.")
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException {
    address.requireNoSnapshot(spec);
    String path = address.queuePath() + "/labels";
    for (String label : labels) {
      int equals = label.indexOf('=');
      if (equals < 1) {
        throw new ParameterException(spec.commandLine(), "'" + label + "' is no NAME=TEXT");
      }
      String name = label.substring(0, equals);
      agent.send(
          "PUT",
          path,
          new JsonObject()
              .with("name", name.startsWith("policy:") ? name : "label:" + name)
              .with("value", label.substring(equals + 1)));
    }
    List<JsonObject> rows = agent.get(path).objects("labels");
    if (json) {
      printArray(rows);
    } else if (labels.isEmpty()) {
      Table table = new Table("LABEL", "BY", "TEXT");
      for (JsonObject row : rows) {
        table.row(
            row.string("name").replaceFirst("^label:", ""),
            row.string("changedBy"),
            row.string("value"));
      }
      table.print(out(), regen.width());
    }
    return DONE;
  }
}
