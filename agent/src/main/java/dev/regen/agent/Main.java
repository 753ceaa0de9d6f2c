package dev.regen.agent;

import dev.regen.agent.cli.Regen;
import java.io.Console;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;

/** The entry point of {@code regen}: every command, and the agent itself. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    boolean terminal =
        Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    System.exit(
        run(arguments, System.getenv(), Regen.input(), Regen.output(), Regen.errors(), terminal));
  }

  /** Runs one command; returns its exit code. */
  static int run(
      String[] arguments,
      Map<String, String> environment,
      InputStream in,
      OutputStream out,
      OutputStream err,
      boolean terminal) {
    Regen regen = new Regen(environment, in, out, terminal);
    CommandLine line =
        regen.commandLine(
            new OutputStreamWriter(err, StandardCharsets.UTF_8), new StartCommand(environment));
    return regen.execute(line, arguments);
  }
}
