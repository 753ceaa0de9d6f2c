package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a command takes a snapshot that is still being pushed. */
final class FollowOptions {
  @Option(
      names = "--follow",
      description = {
        "Begin while the other host still pushes it, or before it does: chunks are fetched as they"
            + " come.",
        "The latest then is what is being pushed; else the newest in the store, or what will be"
            + " pushed next if that one is here already. If the other host dies, this waits until"
            + " it pushes again."
      })
  private boolean follow;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      description = "With --follow: how long nothing may come. Default: 600.")
  private @Nullable Integer waitSeconds;

  boolean isAsked() {
    return follow || waitSeconds != null;
  }

  JsonObject addTo(JsonObject body) {
    return body.with("follow", isAsked()).with("waitSeconds", waitSeconds);
  }
}
