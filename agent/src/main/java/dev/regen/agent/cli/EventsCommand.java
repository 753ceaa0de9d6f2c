package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "events", description = "Lists what happened, oldest first.")
final class EventsCommand extends AgentCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "QUEUE",
      converter = QueueAddress.Converter.class)
  private @Nullable QueueAddress address;

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
    QueueAddress queue = address;
    if (queue != null) {
      queue.requireNoSnapshot(spec);
    }
    String only = queue == null ? "" : "?queue=" + AgentClient.part(queue.queue().value());
    List<JsonObject> events = agent.newest("/v1/events" + only, "events", limit);
    if (json) {
      printArray(events);
      return DONE;
    }
    Table table = new Table("TIME", "KIND", "QUEUE", "WHAT");
    for (JsonObject event : events) {
      String name = event.stringOrNull("queue");
      table.row(
          Times.of(event.string("time"), utc),
          event.string("kind"),
          name == null ? "-" : name,
          event.string("message"));
    }
    table.print(out(), regen.width());
    return DONE;
  }
}
