package dev.regen.agent.cli;

import dev.regen.agent.node.ManagerUrl;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which manager a command asks, and with whose token. */
final class FleetAccess {
  private static final String MANAGER = "REGEN_MANAGER";
  private static final String TOKEN = "REGEN_TOKEN";

  @Option(
      names = "--manager",
      paramLabel = "URL",
      description =
          "The manager: https://HOST:PORT or http://HOST:PORT, with ?ca-file=/path where its"
              + " certificate is of your own. Default: what REGEN_MANAGER says.")
  private @Nullable String manager;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "Your token ('regen manager token', 'regen fleet add-token'). Default: the text in"
              + " REGEN_TOKEN, or ?token-file=/path behind the manager's URL.")
  private @Nullable Path tokenFile;

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  /** A client of that manager. */
  FleetClient client(Regen regen) throws IOException {
    String text = manager != null ? manager : regen.environment().get(MANAGER);
    if (text == null) {
      throw new ParameterException(
          spec.commandLine(), "say which manager: --manager URL, or REGEN_MANAGER");
    }
    ManagerUrl url;
    try {
      url = ManagerUrl.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    url = tokenFile == null ? url : url.withTokenFile(tokenFile);
    String token = url.tokenFile() == null ? regen.environment().get(TOKEN) : url.token();
    return new FleetClient(url, token);
  }
}
