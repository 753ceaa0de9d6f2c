package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command that asks about a fleet has in common. */
@Command(mixinStandardHelpOptions = true, versionProvider = ProductVersion.class)
abstract class FleetSubcommand implements Callable<Integer> {
  /** Of which this is a command; known when it runs. */
  @SuppressWarnings("NullAway.Init")
  Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  CommandSpec spec;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private FleetAccess access;

  @Option(names = "--json", description = "As JSON.")
  boolean json;

  @Override
  public final Integer call() throws IOException, InterruptedException {
    regen = (Regen) spec.root().userObject();
    try (FleetClient fleet = access.client(regen)) {
      run(fleet);
    }
    return AgentCommand.DONE;
  }

  abstract void run(FleetClient fleet) throws IOException, InterruptedException;

  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** The cells of a row. */
  @FunctionalInterface
  interface Cells {
    List<String> of(JsonObject row) throws IOException;
  }

  /** Rows as a table, or as JSON if that is wanted. */
  final void print(List<JsonObject> rows, List<String> titles, Cells cells) throws IOException {
    if (json) {
      AgentCommand.printArray(rows, out());
      return;
    }
    Table table = new Table(titles.toArray(new String[0]));
    for (JsonObject row : rows) {
      table.row(cells.of(row).toArray(new String[0]));
    }
    table.print(out(), regen.width());
  }

  /** A line for a person, or an object if JSON is wanted. */
  final void print(JsonObject answer, String words) {
    out().println(json ? answer.toString() : words);
  }

  /** To a person who waits. */
  final void tell(String words) {
    spec.commandLine().getErr().println("regen: " + words);
  }

  static String node(String name) {
    return "/v1/nodes/" + AgentClient.part(name);
  }

  static String queue(String node, String name) {
    if (!QueueName.isValid(name)) {
      throw new CommandFailure(Failure.Code.USAGE, "'" + name + "' is no name of a queue");
    }
    return node(node) + "/queues/" + AgentClient.part(name);
  }

  static String or(@Nullable String text, String other) {
    return text == null ? other : text;
  }

  /** A time for a person, {@code -} for none. */
  static String time(JsonObject row, String member) throws IOException {
    String time = row.stringOrNull(member);
    return time == null ? "-" : Times.of(time, false);
  }
}
