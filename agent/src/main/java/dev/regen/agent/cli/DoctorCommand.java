package dev.regen.agent.cli;

import dev.regen.agent.host.Check;
import dev.regen.agent.host.Doctor;
import dev.regen.agent.host.Installation;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Tells what of this host fits, what doesn't, and what mends it. Works without the agent.",
      "Exit code 1 if something does not fit."
    })
final class DoctorCommand implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(names = "--json", description = "As a JSON array.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    List<Check> checks;
    try (Engine engine = Engine.of(regen.environment())) {
      checks =
          new Doctor(Installation.of(regen.environment()), engine, regen.environment()).examine();
    }
    if (json) {
      List<JsonObject> all = checks.stream().map(Check::json).toList();
      AgentCommand.printArray(all, spec.commandLine().getOut());
    } else {
      print(checks, spec.commandLine().getOut());
    }
    boolean fits =
        checks.stream().noneMatch(check -> check.verdict() == Check.Verdict.DOES_NOT_FIT);
    return fits ? 0 : 1;
  }

  private static void print(List<Check> checks, PrintWriter out) {
    Table table = new Table("WHAT", "VERDICT", "FOUND");
    for (Check check : checks) {
      table.row(check.name(), check.verdict().word(), check.found());
    }
    table.print(out);
    for (Check check : checks) {
      if (!check.remedy().isEmpty()) {
        out.println(check.name() + ": " + check.remedy());
      }
    }
  }
}
