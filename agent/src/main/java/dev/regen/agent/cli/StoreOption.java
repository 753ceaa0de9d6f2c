package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;

/** What the commands that use a store have in common. */
final class StoreOption {
  static final String DESCRIPTION =
      "dir:/path, or servers: http://h1:7070,http://h2:7070?replicas=2; behind a server ;weight=2"
          + " and ;domain=rack1, at the end token-file, ca-file, cert-file, key-file. Default:"
          + " 'store' of the agent's configuration.";

  static final String JSON =
      "Say what was done as a JSON object, and on standard error how far it is, an object a line.";

  private StoreOption() {}

  /** Has a snapshot or an image pushed or pulled, and says what came of it. */
  static int run(
      AgentCommand command,
      AgentClient agent,
      Travelling what,
      String verb,
      JsonObject body,
      boolean json)
      throws IOException, InterruptedException {
    body.with("attended", true);
    JsonObject job = agent.send("POST", path(what, body) + "/" + verb, body);
    JsonObject result = command.followOrCancel(agent, job, json);
    tellTroubles(command, result);
    if (json) {
      command.out().println(result);
    } else {
      command.out().println(words(result));
    }
    return AgentCommand.DONE;
  }

  /** What a push or a pull did, for a person. */
  static String words(JsonObject result) throws IOException {
    return result.string("message") + " (" + Sizes.of(moved(result)) + ")";
  }

  /** In all, with the image that came along. */
  private static long moved(JsonObject result) throws IOException {
    long image = result.has("image") ? result.object("image").numberOr("bytes", 0) : 0;
    return result.number("bytes") + image;
  }

  private static String path(Travelling what, JsonObject body) {
    String image = what.image();
    if (image != null) {
      // What was not asked for is not said; what an image has no use for is refused by name.
      body.members().values().removeIf(value -> value == null || Boolean.FALSE.equals(value));
      body.with("image", image);
      return "/v1/images";
    }
    QueueAddress address = what.queue();
    body.with("snapshot", address.snapshot()).with("noImage", what.withoutImage());
    return address.queuePath();
  }

  static void tellTroubles(AgentCommand command, JsonObject result) throws IOException {
    for (String trouble : result.strings("troubles")) {
      command.err().println("regen: " + trouble);
    }
  }
}
