package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.os.Terminal;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line: {@code regen COMMAND …}. */
@Command(
    name = "regen",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    header = "Docker containers that remember: every end is kept, every state can come back.",
    description = {
      "",
      "A snapshot is addressed QUEUE@latest, QUEUE@-1 (the one before), QUEUE@TIMESTAMP (the"
          + " newest not after it) or QUEUE@ID-PREFIX (at least 4 characters)."
    },
    footerHeading = "%nExit codes:%n",
    footer = {
      "    0  done",
      "    1  failed",
      "    2  wrong usage",
      "    3  what was named is not there: a queue, snapshot, container, image,",
      "       store, file or directory",
      "    4  refused in this state",
      "    5  the agent cannot be reached, or ended before it had answered",
      "  130  ended by Ctrl-C",
      "",
      "'regen COMMAND --help' says more of each."
    },
    subcommands = {
      LsCommand.class,
      ShowCommand.class,
      CaptureCommand.class,
      RestoreCommand.class,
      DiffCommand.class,
      ExportCommand.class,
      ImportCommand.class,
      PushCommand.class,
      PullCommand.class,
      PublishCommand.class,
      MoveCommand.class,
      StayCommand.class,
      PinCommand.class,
      UnpinCommand.class,
      RmCommand.class,
      KeepCommand.class,
      LabelCommand.class,
      EncryptCommand.class,
      DecryptCommand.class,
      KeyCommand.class,
      TokenCommand.class,
      MountCommand.class,
      UmountCommand.class,
      VerifyCommand.class,
      EventsCommand.class,
      AuditCommand.class,
      JobsCommand.class,
      MetricsCommand.class,
      DoctorCommand.class,
      InstallCommand.class,
      UninstallCommand.class,
      StorageCommand.class,
      ManagerCommand.class,
      FleetCommand.class
    })
public final class Regen implements Callable<Integer> {
  /** How picocli begins what it says of a value; which one it was is enough. */
  private static final String NOT_CONVERTED =
      "^Invalid value for (?:positional parameter at index [0-9]+ \\(|option ')(.*?)[')]"
          + "(?: \\([^)]*\\))?: ";

  private static final int WIDTH_MIN = 20;

  private final Map<String, String> environment;
  private final InputStream in;
  private final StandardOutput out;
  private final boolean terminal;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  /**
   * @param out standard output, for what is no text
   * @param terminal whether a person watches
   */
  public Regen(
      Map<String, String> environment, InputStream in, OutputStream out, boolean terminal) {
    this.environment = Map.copyOf(environment);
    this.in = in;
    this.out = new StandardOutput(out);
    this.terminal = terminal;
  }

  /**
   * The command line.
   *
   * @param agent the command that runs the agent itself
   */
  public CommandLine commandLine(Writer err, Object agent) {
    return new CommandLine(this)
        .addSubcommand(agent)
        .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(err, true))
        .setExecutionExceptionHandler((e, line, _) -> failed(e, line))
        .setParameterExceptionHandler((e, _) -> misused(e));
  }

  /**
   * Runs one command of {@code line}; returns its exit code. It has failed if it could not write
   * what it had to say.
   */
  public int execute(CommandLine line, String... arguments) {
    int code = line.execute(arguments);
    line.getOut().flush();
    String failure = out.failure();
    if (failure == null || code != 0) {
      return code;
    }
    line.getErr().println("regen: " + failure);
    return Failure.Code.FAILED.exitCode();
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Failure.Code.USAGE.exitCode();
  }

  /** The process's own streams. */
  public static InputStream input() {
    return System.in;
  }

  /** Not {@code System.out}, which tells nobody that it could not write. */
  public static OutputStream output() {
    return new FileOutputStream(FileDescriptor.out);
  }

  public static OutputStream errors() {
    return System.err;
  }

  AgentClient agent() {
    return new AgentClient(
        Path.of(environment.getOrDefault("REGEN_RUN", "/run/regen")).resolve("regen.sock"));
  }

  Map<String, String> environment() {
    return environment;
  }

  InputStream in() {
    return in;
  }

  OutputStream out() {
    return out;
  }

  boolean terminal() {
    return terminal;
  }

  /** How many characters a line may have: a person's terminal cuts it, nothing else does. */
  int width() {
    if (!terminal) {
      return Integer.MAX_VALUE;
    }
    String told = environment.getOrDefault("COLUMNS", "");
    int columns = told.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(told) : Terminal.columns();
    return columns < WIDTH_MIN ? Integer.MAX_VALUE : columns;
  }

  private static int failed(Exception cause, CommandLine line) {
    Failure failure =
        cause instanceof CommandFailure known
            ? new Failure(known.code(), String.valueOf(known.getMessage()))
            : Failure.of(cause);
    line.getErr().println("regen: " + failure.message());
    return failure.code().exitCode();
  }

  private static int misused(CommandLine.ParameterException e) {
    CommandLine line = e.getCommandLine();
    String command = line.getCommandSpec().qualifiedName();
    line.getErr()
        .println(
            "regen: "
                + String.valueOf(e.getMessage())
                    .replaceAll("\\p{Cntrl}+", " ")
                    .replaceFirst(NOT_CONVERTED, "$1: ")
                    .replaceFirst("is not an? (int|long)$", "is no number")
                + "; see '"
                + command
                + " --help'");
    return Failure.Code.USAGE.exitCode();
  }
}
