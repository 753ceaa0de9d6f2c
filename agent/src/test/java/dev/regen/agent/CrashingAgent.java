package dev.regen.agent;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.CrashingDisk;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The agent, which dies as by {@code kill -9} before the n-th change it makes to the disk; n is the
 * system property {@code regen.crashAt}.
 */
public final class CrashingAgent {
  private static final int KILLED = 137;

  private CrashingAgent() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Map<String, String> environment = System.getenv();
    Agent agent =
        new Agent(
            AgentConfiguration.load(new LocalDisk(), environment),
            environment,
            InstantSource.system(),
            CrashingDisk.dyingAt(
                Integer.getInteger("regen.crashAt"), () -> Runtime.getRuntime().halt(KILLED)));
    agent.start();
    new CountDownLatch(1).await();
  }
}
