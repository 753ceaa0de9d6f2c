package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "audit",
    description = {
      "Lists who asked this agent for what, oldest first, and who was refused. Reading is there"
          + " where it reads what snapshots hold."
    })
final class AuditCommand extends AgentCommand {
  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most the N newest; default ${DEFAULT-VALUE}.")
  private int limit = 100;

  @Option(names = "--json", description = "As a JSON array.")
  private boolean json;

  @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
  private boolean utc;

  @Override
  int run(AgentClient agent) throws IOException {
    List<JsonObject> entries = agent.newest("/v1/audit", "audit", limit);
    if (json) {
      printArray(entries);
      return DONE;
    }
    Table table = new Table("TIME", "WHO", "FROM", "DID", "TO", "STATUS", "JOB");
    for (JsonObject entry : entries) {
      table.row(
          Times.of(entry.string("time"), utc),
          shown(entry, "principal"),
          shown(entry, "remote"),
          shown(entry, "operation"),
          parts(entry.object("parts").members()),
          String.valueOf(entry.number("status")),
          shown(entry, "job"));
    }
    table.print(out(), regen.width());
    return DONE;
  }

  private static String shown(JsonObject entry, String member) throws IOException {
    String text = entry.stringOrNull(member);
    return text == null ? "-" : text;
  }

  private static String parts(Map<String, ?> parts) {
    return parts.isEmpty()
        ? "-"
        : parts.values().stream().map(String::valueOf).collect(Collectors.joining(" "));
  }
}
