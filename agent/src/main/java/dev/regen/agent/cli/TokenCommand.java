package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "token",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Tokens for the API on TCP ('regen agent --listen'): a request bears one as Authorization:"
          + " Bearer TOKEN. The agent keeps their digests alone."
    },
    subcommands = {TokenCommand.Add.class, TokenCommand.Ls.class, TokenCommand.Rm.class})
final class TokenCommand implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Failure.Code.USAGE.exitCode();
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "Makes a token and prints it, this once.")
  static final class Add implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private TokenCommand token;

    @Parameters(index = "0", paramLabel = "NAME", description = "Whose it is, for the audit log.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Option(
        names = "--role",
        required = true,
        paramLabel = "ROLE",
        description = {
          "view: sees queues, snapshots, jobs and events; operate: also captures, restores, moves,"
              + " removes, and reads what snapshots hold; admin: also keys, tokens, the audit log,"
              + " and other stores than the agent's."
        })
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String role;

    @Option(
        names = "--expires",
        paramLabel = "DAYS",
        description = "How long it counts; without, or with 0, until it is removed.")
    private @Nullable Integer days;

    @Override
    public Integer call() throws IOException {
      JsonObject body = new JsonObject().with("name", name).with("role", role);
      JsonObject made;
      try {
        made = token.regen.agent().send("POST", "/v1/tokens", body.with("expiresDays", days));
      } catch (CommandFailure e) {
        // All of it is what somebody has typed.
        throw e.code() == Failure.Code.BAD_INPUT
            ? new CommandFailure(Failure.Code.USAGE, String.valueOf(e.getMessage()))
            : e;
      }
      token.spec.commandLine().getOut().println(made.string("token"));
      return AgentCommand.DONE;
    }
  }

  @Command(
      name = "ls",
      mixinStandardHelpOptions = true,
      description = "Lists who has a token; never a token.")
  static final class Ls implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private TokenCommand token;

    @Option(names = "--json", description = "As a JSON array.")
    private boolean json;

    @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
    private boolean utc;

    @Override
    public Integer call() throws IOException {
      List<JsonObject> tokens = token.regen.agent().all("/v1/tokens", "tokens");
      if (json) {
        AgentCommand.printArray(tokens, token.spec.commandLine().getOut());
        return AgentCommand.DONE;
      }
      Table table = new Table("NAME", "ROLE", "CREATED", "EXPIRES");
      for (JsonObject each : tokens) {
        String expires = each.stringOrNull("expires");
        table.row(
            each.string("name"),
            each.string("role"),
            Times.of(each.string("created"), utc),
            expires == null
                ? "never"
                : Times.of(expires, utc) + (each.flag("expired") ? ", expired" : ""));
      }
      table.print(token.spec.commandLine().getOut(), token.regen.width());
      return AgentCommand.DONE;
    }
  }

  @Command(
      name = "rm",
      mixinStandardHelpOptions = true,
      description = "Removes a token: from now on it is nobody's.")
  static final class Rm implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private TokenCommand token;

    @Parameters(index = "0", paramLabel = "NAME")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Override
    public Integer call() {
      token.regen.agent().send("DELETE", "/v1/tokens/" + AgentClient.part(name), null);
      return AgentCommand.DONE;
    }
  }
}
