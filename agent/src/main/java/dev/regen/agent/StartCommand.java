package dev.regen.agent;

import dev.regen.runtime.durable.LocalDisk;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

@Command(
    name = "agent",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the node agent in the foreground, until SIGTERM or SIGINT.",
      "It archives what containers leave when they end, and answers the other commands."
    })
final class StartCommand implements Callable<Integer> {
  private final Map<String, String> environment;

  StartCommand(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    AgentConfiguration configuration = AgentConfiguration.load(new LocalDisk(), environment);
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

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
