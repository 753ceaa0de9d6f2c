package dev.regen.agent.cli;

import dev.regen.agent.observe.JsonLog;
import dev.regen.agent.observe.ObserveConfiguration;
import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageServer;
import dev.regen.snapshot.remote.TokenFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "storage",
    mixinStandardHelpOptions = true,
    versionProvider = ProductVersion.class,
    description = {
      "Runs a storage server in the foreground, until SIGTERM or SIGINT: chunks and records of one"
          + " directory over HTTP. It needs no agent.",
      "Without a token or clients' certificates whoever reaches it may read and write everything.",
      "'regen storage collect' and 'regen storage rebalance' keep a store of any kind in order; they"
          + " do need the agent."
    },
    subcommands = {StorageCollectCommand.class, StorageRebalanceCommand.class})
final class StorageCommand implements Callable<Integer> {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([kMGT]?)");

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:7070",
      description = "Where it listens (default: ${DEFAULT-VALUE}); port 0 takes a free one.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String listen;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where everything is kept; made if it is missing. Has to be said.")
  private @Nullable Path directory;

  @Option(
      names = "--quota",
      paramLabel = "BYTES",
      description = "The most it takes, also as 500G (k, M, G, T: powers of 1000).")
  private @Nullable String quota;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Every request must bear the token in this file.")
  private @Nullable Path tokenFile;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private ListeningOptions listening;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path where = directory;
    if (where == null) {
      throw new ParameterException(spec.commandLine(), "say where: --dir DIR");
    }
    ListeningOptions.requireThere(tokenFile);
    String token = tokenFile == null ? null : TokenFile.read(tokenFile);
    StorageOptions options;
    try {
      options =
          new StorageOptions(
              listening.at(listen),
              where.toAbsolutePath(),
              quota == null ? Long.MAX_VALUE : bytes(quota),
              token);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    Regen regen = (Regen) spec.root().userObject();
    JsonLog.install(ObserveConfiguration.of(regen.environment()));
    StorageServer.run(options, line -> spec.commandLine().getOut().println(line));
    return AgentCommand.DONE;
  }

  private static long bytes(String text) {
    Matcher size = SIZE.matcher(text);
    if (!size.matches()) {
      throw new IllegalArgumentException("--quota is a number of bytes, or one with k, M, G or T");
    }
    long factor =
        switch (size.group(2)) {
          case "k" -> 1_000L;
          case "M" -> 1_000_000L;
          case "G" -> 1_000_000_000L;
          case "T" -> 1_000_000_000_000L;
          default -> 1L;
        };
    try {
      return Math.multiplyExact(Long.parseLong(size.group(1)), factor);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("--quota is too large", e);
    }
  }
}
