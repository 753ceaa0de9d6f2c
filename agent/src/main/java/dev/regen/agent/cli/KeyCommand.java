package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
    name = "key",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Keys for 'regen encrypt', in the file that the agent's configuration names (keyset, by"
          + " default /etc/regen/keys.json).",
      "Keep a copy of that file elsewhere: without its key an encrypted snapshot is lost. No command"
          + " shows a key, only its id."
    },
    subcommands = {KeyCommand.New.class, KeyCommand.Add.class, KeyCommand.Keys.class})
final class KeyCommand implements Callable<Integer> {
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
      name = "new",
      mixinStandardHelpOptions = true,
      description = {
        "Makes a key, which encrypts from now on; the file too, if there is none.",
        "The keys before stay in it for what they encrypted; 'regen encrypt QUEUE' brings that under"
            + " the new key."
      })
  static final class New implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private KeyCommand key;

    @Option(
        names = "--force",
        description = {
          "Although snapshots are locked by keys that are not in the file; without it that is"
              + " refused. Then bring those back with 'regen key add', not over this file."
        })
    private boolean force;

    @Override
    public Integer call() throws IOException {
      JsonObject made =
          key.regen.agent().send("POST", "/v1/keys", new JsonObject().with("force", force));
      String file = made.string("file");
      key.spec
          .commandLine()
          .getOut()
          .println(
              "key "
                  + made.string("id")
                  + " encrypts from now on; copy "
                  + file
                  + " to a safe place off this host: without it nothing encrypted can be read");
      return AgentCommand.DONE;
    }
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = {
        "Takes the keys of COPY, a copy of the file or another host's, beside those that are in it."
            + " The key that encrypts stays the one that does."
      })
  static final class Add implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private KeyCommand key;

    @Parameters(index = "0", paramLabel = "COPY", description = "Root's, and mode 0600.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path copy;

    @Override
    public Integer call() throws IOException {
      JsonObject body = new JsonObject().with("file", copy.toAbsolutePath().toString());
      JsonObject answer = key.regen.agent().send("POST", "/v1/keys/add", body);
      List<JsonObject> added = answer.objects("keys");
      PrintWriter out = key.spec.commandLine().getOut();
      String file = answer.string("file");
      if (added.isEmpty()) {
        out.println("all keys of " + copy + " are in " + file + " already");
        return AgentCommand.DONE;
      }
      for (JsonObject each : added) {
        out.println("key " + each.string("id") + " is in " + file);
      }
      out.println("copy " + file + " to a safe place off this host");
      return AgentCommand.DONE;
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the keys' ids, in the order they were made.")
  static final class Keys implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private KeyCommand key;

    @Option(names = "--json", description = "As a JSON array.")
    private boolean json;

    @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
    private boolean utc;

    @Override
    public Integer call() throws IOException {
      List<JsonObject> keys = key.regen.agent().all("/v1/keys", "keys");
      if (json) {
        AgentCommand.printArray(keys, key.spec.commandLine().getOut());
        return AgentCommand.DONE;
      }
      Table table = new Table("KEY", "CREATED", "STATE");
      for (JsonObject each : keys) {
        table.row(
            each.string("id"),
            Times.of(each.string("created"), utc),
            each.flag("active") ? "active" : "-");
      }
      table.print(key.spec.commandLine().getOut(), key.regen.width());
      return AgentCommand.DONE;
    }
  }
}
