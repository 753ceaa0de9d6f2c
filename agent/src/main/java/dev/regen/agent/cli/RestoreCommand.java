package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

@Command(
    name = "restore",
    description = {
      "Brings a container back to a snapshot.",
      "A kept container is stopped, its present state captured, its layer exchanged, and it is"
          + " started, even if it was stopped before, with the same id. For a container that was run"
          + " with --rm the next run starts from the snapshot; '--at latest' takes that back.",
      "Until the layer is exchanged, Ctrl-C starts it again as it was."
    })
final class RestoreCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "CONTAINER", description = "A container or a queue.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String container;

  @Option(
      names = "--at",
      paramLabel = "S",
      description = "latest (default), -1, a time, or the beginning of an id.")
  private @Nullable String at;

  @Option(names = "--no-start", description = "Leave the container stopped.")
  private boolean noStart;

  @Option(names = "--discard", description = "Do not keep the present state: it is lost.")
  private boolean discard;

  @Option(
      names = "--or-older",
      description = "Where that snapshot is damaged, take the newest older one that is whole.")
  private boolean orOlder;

  @Option(
      names = "--from",
      paramLabel = "URL",
      description = "Fetch the snapshot from this store first: S as it is there.")
  private @Nullable String from;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private FollowOptions follow;

  private void requireLongEnough(String snapshot) {
    try {
      QueueAddress.requireLongEnough(snapshot);
    } catch (TypeConversionException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
    }
  }

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    int mark = container.indexOf('@');
    if (at != null && mark >= 0) {
      throw new ParameterException(
          spec.commandLine(), "say the snapshot once: " + container + ", or --at " + at);
    }
    String name = at == null && mark > 0 ? container.substring(0, mark) : container;
    String snapshot = at == null && mark > 0 ? container.substring(mark + 1) : at;
    if (snapshot != null) {
      requireLongEnough(snapshot);
    }
    if (from == null && follow.isAsked()) {
      throw new ParameterException(spec.commandLine(), "--follow and --wait go with --from URL");
    }
    JsonObject body =
        follow
            .addTo(new JsonObject())
            .with("from", from)
            .with("at", snapshot)
            .with("start", !noStart)
            .with("discard", discard)
            .with("orOlder", orOlder)
            .with("attended", true);
    JsonObject job = agent.send("POST", AgentClient.container(name) + "/restore", body);
    JsonObject result = followOrCancel(agent, job);
    if (from != null) {
      StoreOption.tellTroubles(this, result);
    }
    out().println(result.string("message"));
    return DONE;
  }
}
