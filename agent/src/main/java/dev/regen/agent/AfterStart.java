package dev.regen.agent;

import dev.regen.agent.container.ContainerCapture;
import dev.regen.agent.container.MountedSnapshots;
import dev.regen.agent.container.StoppedForRestore;
import dev.regen.agent.jobs.SpoolDrain;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.oci.RuntimeExtension;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.Removals;
import dev.regen.snapshot.capture.Swept;
import java.io.IOException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is tidied up while the agent answers already: it takes long, needs the engine, or waits. */
final class AfterStart implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AfterStart.class);
  private static final Duration RETRY = Duration.ofSeconds(2);

  private static final Duration RECOVERY = Duration.ofSeconds(5);

  private final RuntimeExtension extension;
  private final SpoolDrain drain;
  private final Removals removals;
  private final KnownContainers containers;
  private final ContainerCapture capture;
  private final StoppedForRestore stopped;
  private final MountedSnapshots mounts;
  private final Thread thread;

  AfterStart(
      RuntimeExtension extension,
      SpoolDrain drain,
      Removals removals,
      KnownContainers containers,
      ContainerCapture capture,
      StoppedForRestore stopped,
      MountedSnapshots mounts) {
    this.extension = extension;
    this.drain = drain;
    this.removals = removals;
    this.containers = containers;
    this.capture = capture;
    this.stopped = stopped;
    this.mounts = mounts;
    thread = Thread.ofPlatform().name("after-start").daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      containers.forgetRemoved();
      mounts.sweep();
      Swept swept = removals.sweep();
      if (swept.manifests() + swept.chunks() > 0) {
        LOG.info("removed {} manifests and {} chunks", swept.manifests(), swept.chunks());
      }
      swept.kept().forEach(reason -> LOG.warn("not tidied up: {}", reason));
    } catch (RegenException.Refused e) {
      LOG.info("not tidied up now: {}", e.getMessage());
    } catch (IOException | RuntimeException e) {
      if (Thread.currentThread().isInterrupted()) {
        LOG.debug("stopped while tidying up", e);
        return;
      }
      LOG.warn("not tidied up", e);
    }
    unpause();
    recover();
  }

  /** Goes on with ends that a hook had no time for, or the spool no room. */
  private void recover() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(RECOVERY);
        if (extension.recover() > 0) {
          drain.look();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException e) {
      LOG.warn("ends of runs may wait until the next start of the agent", e);
    }
  }

  private void unpause() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        capture.unpauseForgotten();
        stopped.startAgain();
        return;
      } catch (EngineException.Away e) {
        LOG.debug("the engine is not there yet", e);
      } catch (IOException | RuntimeException e) {
        LOG.warn("containers that were paused for a capture, or stopped, may still be", e);
        return;
      }
      try {
        Thread.sleep(RETRY);
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
