package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "jobs",
    description = "Lists the operations that wait, run, or have ended, oldest first.")
final class JobsCommand extends AgentCommand {
  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most the N newest; default: all that are known, at most 200.")
  private @Nullable Integer limit;

  @Option(names = "--json", description = "As a JSON array.")
  private boolean json;

  @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
  private boolean utc;

  @Override
  int run(AgentClient agent) throws IOException {
    List<JsonObject> jobs =
        agent.newest("/v1/jobs", "jobs", limit == null ? Integer.MAX_VALUE : limit);
    if (json) {
      printArray(jobs);
      return DONE;
    }
    Table table = new Table("JOB", "ASKED", "KIND", "OF", "READ", "STATE");
    for (JsonObject job : jobs) {
      String why = job.stringOrNull("message");
      table.row(
          job.string("id"),
          Times.of(job.string("askedAt"), utc),
          job.string("kind"),
          job.string("subject"),
          Sizes.of(job.numberOr("bytes", 0)),
          job.string("state") + (why == null ? "" : ": " + why));
    }
    table.print(out(), regen.width());
    return DONE;
  }
}
