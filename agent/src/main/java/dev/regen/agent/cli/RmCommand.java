package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
    name = "rm",
    description = {
      "Removes a snapshot, or with --queue a whole queue, and the data that only it holds.",
      "With --store, from there, and not from this host. What somebody who pushes or pulls at that"
          + " moment may count on is left for 'regen storage collect'.",
      "With --store also an image: its name, and the image if it has no other, unless a snapshot"
          + " there lies on it."
    })
final class RmCommand extends AgentCommand {
  @Parameters(
      index = "0",
      paramLabel = "QUEUE[@S] | IMAGE",
      description = {
        "A snapshot or a queue; or an image of a store, NAME:TAG or with a '/' in its name (other"
            + " names and ids: --image)."
      })
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String text;

  @Option(
      names = "--queue",
      description = "Remove the queue with all its snapshots. The next run begins a new one.")
  private boolean wholeQueue;

  @Option(names = "--image", description = "What is named is an image, not a queue.")
  private boolean image;

  @Option(names = "--store", paramLabel = "URL", description = "Remove it from this store.")
  private @Nullable String store;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    String named = Travelling.imageOf(spec, text, image);
    if (named != null) {
      return image(agent, named);
    }
    QueueAddress address = Travelling.queueOf(spec, text);
    if (wholeQueue) {
      address.requireNoSnapshot(spec);
    } else {
      address.requireSnapshot(spec);
    }
    if (store != null) {
      JsonObject body = new JsonObject().with("snapshot", address.snapshot());
      return inStore(agent, "queues/" + AgentClient.part(address.queue().value()), store, body);
    }
    agent.send("DELETE", wholeQueue ? address.queuePath() : address.snapshotPath(), null);
    return DONE;
  }

  private int image(AgentClient agent, String named) throws IOException, InterruptedException {
    if (wholeQueue) {
      throw new ParameterException(
          spec.commandLine(), "--queue goes with a queue, and '" + named + "' is an image");
    }
    if (store == null) {
      throw new ParameterException(
          spec.commandLine(),
          "say from which store, with --store; an image of this host 'docker image rm' removes");
    }
    return inStore(agent, "images", store, new JsonObject().with("image", named));
  }

  private int inStore(AgentClient agent, String what, String url, JsonObject body)
      throws IOException, InterruptedException {
    body.with("store", url).with("attended", true);
    JsonObject result =
        followOrCancel(agent, agent.send("POST", "/v1/store/" + what + "/remove", body));
    out().println(result.string("message"));
    return DONE;
  }
}
