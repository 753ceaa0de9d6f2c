package dev.regen.agent.hook;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.PendingLayers;
import dev.regen.runtime.oci.Spool;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * The spool as a process sees it that found no agent: nobody archives, so nobody has to be waited
 * for.
 *
 * <p>An agent that is there after all (it was too slow to answer) holds the lock on {@code
 * agent.pid}; then its jobs are waited for, and not taken away from it.
 */
final class WithoutAgent implements PendingLayers {
  private static final int POLL_MILLIS = 20;

  private final Path pidFile;
  private final Spool spool;

  WithoutAgent(Path run, Spool spool) {
    this.pidFile = run.resolve("agent.pid");
    this.spool = spool;
  }

  @Override
  public boolean awaitArchived(QueueName queue, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (pending(queue)) {
      if (!agentRuns() || System.nanoTime() > deadline) {
        return false;
      }
      Thread.sleep(POLL_MILLIS);
    }
    return true;
  }

  @Override
  public boolean takeOver(QueueName queue, Duration limit) {
    return !agentRuns();
  }

  private boolean pending(QueueName queue) {
    try {
      return !spool.list(queue).isEmpty();
    } catch (IOException e) {
      return true;
    }
  }

  private boolean agentRuns() {
    try (FileChannel channel = FileChannel.open(pidFile, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock == null;
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
