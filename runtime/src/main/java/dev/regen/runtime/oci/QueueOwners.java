package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.BootId;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** Whose a queue is: that of one running container at a time, and of none while it is fenced. */
final class QueueOwners {
  private static final Duration JUST_CREATED = Duration.ofSeconds(10);

  private final RunRecords records;
  private final Fences fences;
  private final InstantSource clock;

  QueueOwners(RunRecords records, Fences fences, InstantSource clock) {
    this.records = records;
    this.fences = fences;
    this.clock = clock;
  }

  /**
   * Makes the queue this run's, by writing its record while no other start looks.
   *
   * @return why it is not this run's, null if it is now
   */
  @Nullable String claim(RunRecord run) throws IOException {
    try (Fd queueLock = records.lock(run.queue())) {
      String elsewhere = fences.refusal(run.queue());
      if (elsewhere != null) {
        return elsewhere;
      }
      RunRecord other = runningUnder(run.queue(), run.container());
      if (other != null) {
        return "queue "
            + run.queue()
            + " is in use by the running container "
            + other.name()
            + "; stop it, or give this one another label regen.queue";
      }
      if (queueLock.number() >= 0) {
        records.begin(run);
      }
      return null;
    }
  }

  /** Whether a run of the queue is under way, or about to be. */
  boolean isInUse(QueueName queue) throws IOException {
    return runningUnder(queue, null) != null;
  }

  private @Nullable RunRecord runningUnder(QueueName queue, @Nullable ContainerId self)
      throws IOException {
    String boot = bootId();
    for (RunRecord run : records.list()) {
      boolean mayRun =
          run.queue().equals(queue)
              && !run.container().equals(self)
              && run.state() == State.CREATED
              && run.bootId().equals(boot);
      if (mayRun && isInUse(run)) {
        return run;
      }
    }
    return null;
  }

  /** A start may take its time before there is a process; its hook holds the lock meanwhile. */
  private boolean isInUse(RunRecord run) throws IOException {
    return isNew(run)
        || Processes.of(run.runcRoot(), run.container()).alive()
        || records.isLocked(run.container());
  }

  private boolean isNew(RunRecord run) throws IOException {
    return records.startedAt(run.container()) == null
        && Duration.between(run.createdAt(), clock.instant()).compareTo(JUST_CREATED) < 0;
  }

  /** The host's present boot; a run of another one has crashed. */
  static String bootId() throws IOException {
    return BootId.read();
  }
}
