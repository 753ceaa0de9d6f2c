package dev.regen.agent;

import dev.regen.agent.cli.ListeningOptions;
import dev.regen.agent.node.ManagerUrl;
import dev.regen.agent.node.NodeConfiguration;
import dev.regen.agent.observe.JsonLog;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "agent",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the node agent in the foreground, until SIGTERM or SIGINT.",
      "It archives what containers leave when they end, and answers the other commands."
    })
final class StartCommand implements Callable<Integer> {
  private final Map<String, String> environment;

  @Option(
      names = "--store",
      paramLabel = "URL",
      description = "Where push and pull go that name no store; before 'store' in the file.")
  private @Nullable String store;

  @Option(
      names = "--manager",
      paramLabel = "URL",
      description =
          "The manager of the fleet that this host is a node of: https://HOST:PORT or"
              + " http://HOST:PORT, with ?token-file=/path, and &ca-file=, &cert-file=, &key-file="
              + " where they are needed; before 'manager' in the file.")
  private @Nullable String manager;

  @Option(
      names = "--node",
      paramLabel = "NAME",
      description = "This host's name there (default: the host's); before 'node' in the file.")
  private @Nullable String node;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description = {
        "Serve the API on this TCP port too, for those with a token ('regen token add'); before"
            + " 'listen' in the file. Without, there is the Unix socket alone."
      })
  private @Nullable String listen;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private ListeningOptions listening;

  @Option(
      names = "--insecure-http",
      description =
          "Allow --listen without TLS on other than loopback: tokens can be read on the way.")
  private boolean insecure;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  StartCommand(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    AgentConfiguration loaded = AgentConfiguration.load(new LocalDisk(), environment);
    AgentConfiguration configuration =
        inFleet(reachable(store == null ? loaded : loaded.with(StoreUrl.parse(store))));
    JsonLog.install(configuration.observe());
    CountDownLatch stopped = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Thread atEnd =
        new Thread(() -> {
          stopped.countDown();
          awaitQuietly(closed);
        });
    try (Agent agent = new Agent(configuration, environment, InstantSource.system())) {
      Runtime.getRuntime().addShutdownHook(atEnd);
      agent.start();
      stopped.await();
    } finally {
      closed.countDown();
    }
    return 0;
  }

  private AgentConfiguration reachable(AgentConfiguration loaded) {
    try {
      if (listen != null) {
        return loaded.with(loaded.api().with(listening.at(listen), insecure));
      }
      if (insecure || !listening.isEmpty()) {
        throw new IllegalArgumentException("--tls-… and --insecure-http need --listen");
      }
      return loaded;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private AgentConfiguration inFleet(AgentConfiguration told) {
    NodeConfiguration fleet = told.fleet();
    if (manager == null && node == null) {
      return told;
    }
    ManagerUrl url =
        manager != null ? ManagerUrl.parse(manager) : fleet == null ? null : fleet.manager();
    if (url == null) {
      throw new IllegalArgumentException("--node NAME is for a fleet: say --manager URL too");
    }
    String name = node != null ? node : fleet == null ? NodeConfiguration.host() : fleet.name();
    return told.with(new NodeConfiguration(url, name));
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
