package dev.regen.agent.cli;

import dev.regen.agent.observe.Figures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "metrics",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Prints what the agent counts and measures, as Prometheus reads it at /metrics; or, without"
          + " an agent, files for Grafana and Prometheus."
    })
final class MetricsCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(names = "--dashboard", description = "Prints a dashboard, to be imported into Grafana.")
  private boolean dashboard;

  @Option(names = "--alerts", description = "Prints alert rules, for Prometheus' rule_files.")
  private boolean alerts;

  @Override
  public Integer call() throws IOException {
    String text;
    if (dashboard && alerts) {
      throw new ParameterException(spec.commandLine(), "--dashboard or --alerts, not both");
    }
    if (!dashboard && !alerts) {
      Regen regen = (Regen) spec.root().userObject();
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      regen.agent().download("/metrics", answer);
      text = answer.toString(StandardCharsets.UTF_8);
    } else {
      text = dashboard ? Figures.dashboard() : Figures.alerts();
    }
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
    return AgentCommand.DONE;
  }
}
